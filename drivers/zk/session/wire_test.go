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

// A recording is a connection that returns recorded bytes.
type recording struct {
	net.Conn
	io.Reader
}

func (r recording) Read(p []byte) (int, error) { return r.Reader.Read(p) }

// packet returns a body with its length in front.
func packet(body string) string {
	return string(binary.BigEndian.AppendUint32(nil, uint32(len(body)))) + body
}

// handshake returns a server's answer to the handshake.
func handshake(timeout uint32) string {
	body := make([]byte, 4, 40)
	body = binary.BigEndian.AppendUint32(body, timeout)
	body = binary.BigEndian.AppendUint64(body, 0x10000123)
	body = binary.BigEndian.AppendUint32(body, 16)
	body = append(body, bytes.Repeat([]byte{7}, 17)...)
	return packet(string(body))
}

func TestWire(t *testing.T) {
	good := handshake(4000)
	const limit = 1000
	tests := []struct {
		name, sent string
		passes     int // bytes that Read returns
		want       string
	}{
		{"handshake", good, len(good), "EOF"},
		{"packets", good + packet(strings.Repeat("a", headerSize)) + packet(strings.Repeat("b", limit)), len(good) + 20 + 1004, "EOF"},
		{"web server", "HTTP/1.1 400 Bad Request\r\n\r\n", 3, `not a ZooKeeper server: its answer begins with "HTTP"`},
		{"TLS alert", "\x15\x03\x03\x00\x02\x02\x16", 3, "not a ZooKeeper server"},
		{"negative length", "\xff\xff\xff\xff" + good, 3, "not a ZooKeeper server"},
		{"empty handshake", "\x00\x00\x00\x00", 3, "not a ZooKeeper server"},
		{"short handshake", packet(strings.Repeat("a", minHandshake-1)), 3, "not a ZooKeeper server"},
		{"no session timeout", handshake(0), 4 + minHandshake - 1, "refused"},
		{"negative session timeout", handshake(0xffffffff), 4 + minHandshake - 1, "refused"},
		{"packet without a header", good + packet("tooshort"), len(good) + 3, "8 bytes"},
		{"empty packet", good + "\x00\x00\x00\x00", len(good) + 3, "0 bytes"},
		{"packet too long", good + packet(strings.Repeat("b", limit+1)), len(good) + 3, "1001 bytes"},
		{"nothing", "", 0, "EOF"},
		{"half a length", "\x00\x00", 2, "EOF"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			// The network may split the data anywhere; one byte at a time covers every boundary.
			w := &wire{Conn: recording{Reader: iotest.OneByteReader(strings.NewReader(test.sent))}, limit: limit}
			got, _ := io.ReadAll(w)
			require.Equal(t, test.sent[:test.passes], string(got))
			require.ErrorContains(t, w.err, test.want)
		})
	}
}

// io.ReadFull drops the error of a read that returned all the bytes, so a refused length must not be returned.
func TestWireReturnsNoRefusedLength(t *testing.T) {
	w := &wire{Conn: recording{Reader: strings.NewReader("HTTP/1.1")}, limit: 1000}
	n, err := io.ReadFull(w, make([]byte, 4))
	require.Zero(t, n)
	require.ErrorIs(t, err, errNotZooKeeper)
}

func TestWireTimeout(t *testing.T) {
	w := &wire{Conn: recording{Reader: strings.NewReader(handshake(4000))}, limit: 1000}
	_, err := io.ReadFull(w, make([]byte, 41))
	require.NoError(t, err)
	require.True(t, w.handshakeDone())
	require.Equal(t, 4*time.Second, w.sessionTimeout())
}

// For any answer to any request, Read does not panic, and returns what was sent, up to the first thing that it refuses.
func FuzzWire(f *testing.F) {
	names := "\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01a"
	f.Add([]byte(handshake(4000)+packet(names+strings.Repeat("b", statSize))), int32(opGetChildren))
	f.Add([]byte(handshake(4000)+packet(names[:16]+"\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x01/\xff\xff\xff\xff\x01\xff\xff\xff\xff")), int32(opMulti))
	f.Add([]byte("HTTP/1.1 400"), int32(0))
	f.Fuzz(func(t *testing.T, sent []byte, op int32) {
		w := &wire{Conn: recording{Reader: iotest.HalfReader(bytes.NewReader(sent))}, limit: 1000}
		w.requests.add(binary.BigEndian.AppendUint32([]byte{0, 0, 0, 8, 0, 0, 0, 1}, uint32(op)))
		got, err := io.ReadAll(w)
		require.True(t, bytes.HasPrefix(sent, got))
		require.LessOrEqual(t, len(w.handshake), maxHandshake)
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
		"not checked":               {100, header, true},
		"an error":                  {opGetChildren, failed, true},
		"no names":                  {opGetChildren, header + "\x00\x00\x00\x00" + stat, true},
		"two names":                 {opGetChildren, header + "\x00\x00\x00\x02\x00\x00\x00\x01a\x00\x00\x00\x01b" + stat, true},
		"too few names":             {opGetChildren, header + "\x00\x00\x00\x03\x00\x00\x00\x01a\x00\x00\x00\x01b" + stat, false},
		"names without metadata":    {opGetChildren, header + "\x00\x00\x00\x00", false},
		"no data":                   {opGetData, header + "\xff\xff\xff\xff" + stat, true},
		"data":                      {opGetData, header + "\x00\x00\x00\x01d" + stat, true},
		"too little data":           {opGetData, header + "\x00\x00\x00\x02d" + stat, false},
		"metadata":                  {opExists, header + stat, true},
		"truncated metadata":        {opExists, header + stat[1:], false},
		"a path":                    {opSync, header + "\x00\x00\x00\x01/", true},
		"a truncated path":          {opSync, header + "\x00\x00\x00\x02/", false},
		"a transaction":             {opMulti, header + deleted + deleted + end, true},
		"a transaction in error":    {opMulti, header + "\xff\xff\xff\xff\x00\x00\x00\x00\x00\xff\xff\xff\x9b" + end, true},
		"all results":               {opMulti, header + "\x00\x00\x00\x05\x00\x00\x00\x00\x00" + stat + "\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x01/" + end, true},
		"an unknown result":         {opMulti, header + "\x00\x00\x00\x63\x00\x00\x00\x00\x00", true},
		"a transaction without end": {opMulti, header + deleted, false},
		"an empty transaction":      {opMulti, header, false},
	} {
		t.Run(name, func(t *testing.T) {
			sent := handshake(4000) + packet(test.packet) + packet(header)
			w := &wire{Conn: recording{Reader: iotest.OneByteReader(strings.NewReader(sent))}, limit: 1000}
			w.requests.add(binary.BigEndian.AppendUint32([]byte{0, 0, 0, 8, 0, 0, 0, 1}, uint32(test.op)))
			_, err := io.ReadAll(w)
			require.Equal(t, test.good, err == nil, "%v", err)
			if test.good {
				require.Empty(t, w.requests.ops, "a request has one answer")
			}
		})
	}
}
