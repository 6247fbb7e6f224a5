package session

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"
)

// A recording is a connection from which only what was recorded can be read.
type recording struct {
	net.Conn
	io.Reader
}

func (r recording) Read(p []byte) (int, error) { return r.Reader.Read(p) }

// packet puts a length before a body.
func packet(body string) string {
	return string(binary.BigEndian.AppendUint32(nil, uint32(len(body)))) + body
}

// hello is a server's answer to the handshake.
func hello(timeout uint32) string {
	body := make([]byte, 4, 40)
	body = binary.BigEndian.AppendUint32(body, timeout)
	body = binary.BigEndian.AppendUint64(body, 0x10000123)
	body = binary.BigEndian.AppendUint32(body, 16)
	body = append(body, bytes.Repeat([]byte{7}, 17)...)
	return packet(string(body))
}

func TestWire(t *testing.T) {
	good := hello(4000)
	const limit = 1000
	tests := []struct {
		name, sent string
		passes     int // bytes that come through
		says       string
	}{
		{"greeting", good, len(good), "EOF"},
		{"packets", good + packet(strings.Repeat("a", minPacket)) + packet(strings.Repeat("b", limit)), len(good) + 20 + 1004, "EOF"},
		{"web server", "HTTP/1.1 400 Bad Request\r\n\r\n", 3, `not a ZooKeeper server: its answer begins with "HTTP"`},
		{"TLS alert", "\x15\x03\x03\x00\x02\x02\x16", 3, "not a ZooKeeper server"},
		{"negative length", "\xff\xff\xff\xff" + good, 3, "not a ZooKeeper server"},
		{"empty greeting", "\x00\x00\x00\x00", 3, "not a ZooKeeper server"},
		{"short greeting", packet(strings.Repeat("a", minHello-1)), 3, "not a ZooKeeper server"},
		{"no session timeout", hello(0), 4 + minHello - 1, "refused"},
		{"negative session timeout", hello(0xffffffff), 4 + minHello - 1, "refused"},
		{"packet without a header", good + packet("tooshort"), len(good) + 3, "8 bytes"},
		{"empty packet", good + "\x00\x00\x00\x00", len(good) + 3, "0 bytes"},
		{"packet too long", good + packet(strings.Repeat("b", limit+1)), len(good) + 3, "1001 bytes"},
		{"nothing", "", 0, "EOF"},
		{"half a length", "\x00\x00", 2, "EOF"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			// The library's reads are cut as it pleases the network; one byte at a time covers every boundary.
			w := &wire{Conn: recording{Reader: iotest.OneByteReader(strings.NewReader(test.sent))}, limit: limit}
			got, _ := io.ReadAll(w)
			require.Equal(t, test.sent[:test.passes], string(got))
			require.ErrorContains(t, w.err, test.says)
		})
	}
}

// ReadFull forgets the error of a read that gave all it wanted, so a refused length must not be given.
func TestWireRefusesInOneRead(t *testing.T) {
	w := &wire{Conn: recording{Reader: strings.NewReader("HTTP/1.1")}, limit: 1000}
	n, err := io.ReadFull(w, make([]byte, 4))
	require.Zero(t, n)
	require.ErrorIs(t, err, errNotZooKeeper)
}

func TestWireTimeout(t *testing.T) {
	w := &wire{Conn: recording{Reader: strings.NewReader(hello(4000))}, limit: 1000}
	_, err := io.ReadFull(w, make([]byte, 41))
	require.NoError(t, err)
	require.True(t, w.greeted())
	require.Equal(t, 4*time.Second, w.sessionTimeout())
}

// Whatever a server sends in answer to any request: no panic, and what comes through is what was sent, up to the first
// thing that is refused.
func FuzzWire(f *testing.F) {
	names := "\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01a"
	f.Add([]byte(hello(4000)+packet(names+strings.Repeat("b", statSize))), int32(opGetChildren))
	f.Add([]byte(hello(4000)+packet(names[:16]+"\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x01/\xff\xff\xff\xff\x01\xff\xff\xff\xff")), int32(opTransaction))
	f.Add([]byte("HTTP/1.1 400"), int32(0))
	f.Fuzz(func(t *testing.T, sent []byte, op int32) {
		w := &wire{Conn: recording{Reader: iotest.HalfReader(bytes.NewReader(sent))}, limit: 1000}
		w.asked.note(binary.BigEndian.AppendUint32([]byte{0, 0, 0, 8, 0, 0, 0, 1}, uint32(op)))
		got, err := io.ReadAll(w)
		require.True(t, bytes.HasPrefix(sent, got))
		require.LessOrEqual(t, len(w.hello), maxHello)
		require.LessOrEqual(t, len(w.reply.kept), 1000)
		if err == nil {
			require.Equal(t, string(sent), string(got))
		}
	})
}

func TestReplies(t *testing.T) {
	header := "\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00"
	failed := header[:15] + "\x9b"
	stat := strings.Repeat("s", statSize)
	deleted, end := "\x00\x00\x00\x02\x00\x00\x00\x00\x00", "\xff\xff\xff\xff\x01\xff\xff\xff\xff"
	for name, test := range map[string]struct {
		op     int32
		packet string
		good   bool
	}{
		"not looked into":          {100, header, true},
		"an error":                 {opGetChildren, failed, true},
		"no names":                 {opGetChildren, header + "\x00\x00\x00\x00" + stat, true},
		"two names":                {opGetChildren, header + "\x00\x00\x00\x02\x00\x00\x00\x01a\x00\x00\x00\x01b" + stat, true},
		"more names than that":     {opGetChildren, header + "\x00\x00\x00\x03\x00\x00\x00\x01a\x00\x00\x00\x01b" + stat, false},
		"names without numbers":    {opGetChildren, header + "\x00\x00\x00\x00", false},
		"no data":                  {opGetData, header + "\xff\xff\xff\xff" + stat, true},
		"data":                     {opGetData, header + "\x00\x00\x00\x01d" + stat, true},
		"more data than that":      {opGetData, header + "\x00\x00\x00\x02d" + stat, false},
		"numbers":                  {opExists, header + stat, true},
		"numbers that are cut":     {opExists, header + stat[1:], false},
		"a path":                   {opSync, header + "\x00\x00\x00\x01/", true},
		"a path that is cut":       {opSync, header + "\x00\x00\x00\x02/", false},
		"a transaction":            {opTransaction, header + deleted + deleted + end, true},
		"a transaction in error":   {opTransaction, header + "\xff\xff\xff\xff\x00\x00\x00\x00\x00\xff\xff\xff\x9b" + end, true},
		"a transaction's kinds":    {opTransaction, header + "\x00\x00\x00\x05\x00\x00\x00\x00\x00" + stat + "\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x01/" + end, true},
		"an unknown kind":          {opTransaction, header + "\x00\x00\x00\x63\x00\x00\x00\x00\x00", true},
		"a transaction without":    {opTransaction, header + deleted, false},
		"a transaction of nothing": {opTransaction, header, false},
	} {
		t.Run(name, func(t *testing.T) {
			sent := hello(4000) + packet(test.packet) + packet(header)
			w := &wire{Conn: recording{Reader: iotest.OneByteReader(strings.NewReader(sent))}, limit: 1000}
			w.asked.note(binary.BigEndian.AppendUint32([]byte{0, 0, 0, 8, 0, 0, 0, 1}, uint32(test.op)))
			_, err := io.ReadAll(w)
			require.Equal(t, test.good, err == nil, "%v", err)
			if test.good {
				require.Empty(t, w.asked.ops, "there is no second answer")
			}
		})
	}
}
