package zk_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// packetOf returns a packet of numbers and bytes, with its length in front.
func packetOf(t *testing.T, parts ...any) []byte {
	t.Helper()
	var body bytes.Buffer
	for _, part := range parts {
		require.NoError(t, binary.Write(&body, binary.BigEndian, part))
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(body.Len())), body.Bytes()...)
}

// readPacket reads a packet from a client.
func readPacket(r io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	body := make([]byte, binary.BigEndian.Uint32(size[:]))
	_, err := io.ReadFull(r, body)
	return body, err
}

// The types of requests that the driver makes.
const (
	opCreate      = 1
	opExists      = 3
	opGetData     = 4
	opSync        = 9
	opPing        = 11
	opGetChildren = 12
	opMulti       = 14
)

// forgingServer starts a server that gives sessions as a real one does, and forges the answers to one type of request.
func forgingServer(t *testing.T, op int32, forged ...any) string {
	t.Helper()
	return fakeServer(t, func(requested int32, path string) []any {
		if requested == op {
			return forged
		}
		return validAnswer(requested, path)
	})
}

var stat [68]byte // the metadata of a znode

// validAnswer returns the answer of a server in which every znode exists and has one byte of data. Each has one child, but
// the group has none, so that there is a dead member.
func validAnswer(op int32, path string) []any {
	switch op {
	case opGetChildren:
		if path == "/servicegroups/a" {
			return []any{int32(0), stat}
		}
		return []any{int32(1), int32(1), []byte("a"), stat}
	case opGetData:
		return []any{int32(1), []byte("x"), stat}
	case opExists:
		return []any{stat}
	case opSync, opCreate:
		return []any{int32(1), []byte("/")}
	}
	return nil
}

// noNode is the error code for a znode that does not exist.
const noNode = -101

// fakeServer starts a server whose answers, behind the header, are made by a function. A znode does not exist if the function
// returns nil for its metadata.
func fakeServer(t *testing.T, answer func(op int32, path string) []any) string {
	t.Helper()
	return testserver.FakeServer(t, func(conn net.Conn) {
		if first := make([]byte, 4); !readFull(conn, first) || string(first) == "srvr" {
			return
		} else if !readFull(conn, make([]byte, binary.BigEndian.Uint32(first))) {
			return
		}
		_, _ = conn.Write(packetOf(t, int32(0), int32(4000), int64(0x1234), int32(16), make([]byte, 16), byte(0)))
		for zxid := int64(1); ; zxid++ {
			request, err := readPacket(conn)
			if err != nil || len(request) < 8 {
				return
			}
			xid, op := int32(binary.BigEndian.Uint32(request)), int32(binary.BigEndian.Uint32(request[4:]))
			path := ""
			if len(request) > 12 {
				path = string(request[12:min(len(request), 12+int(request[11]))])
			}
			code, parts := int32(0), answer(op, path)
			if parts == nil && op == opExists {
				code = noNode
			}
			if _, err := conn.Write(packetOf(t, append([]any{xid, zxid, code}, parts...)...)); err != nil {
				return
			}
		}
	})
}

func readFull(r io.Reader, p []byte) bool {
	_, err := io.ReadFull(r, p)
	return err == nil
}

// requireMemory calls do and requires that it allocates less than the limit in all, in bytes.
func requireMemory(t *testing.T, limit uint64, do func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, limit, "bytes allocated")
}

// pollTimeout returns the time for a poll that fails for a reason. Only a timeout is caused by it.
func pollTimeout(reason drivers.Reason) time.Duration {
	if reason == drivers.ReasonTimeout {
		return time.Second
	}
	return prompt
}

// No server, whatever it answers, makes the driver crash, allocate much memory or wait without end, and the error says what is
// wrong, and with which server.
func TestHostileServers(t *testing.T) {
	web := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(web.Close)
	endless := func(text string) func(net.Conn) {
		return func(conn net.Conn) {
			for {
				if _, err := io.WriteString(conn, text); err != nil {
					return
				}
			}
		}
	}
	silent := func(first string) func(net.Conn) {
		return func(conn net.Conn) {
			_, _ = io.WriteString(conn, first)
			_, _ = io.Copy(io.Discard, conn)
		}
	}
	const huge = int32(0x7fffffff)
	tests := map[string]struct {
		addr, want string
		reason     drivers.Reason
	}{
		"refused":                  {refusingAddr(t), "refused", drivers.ReasonConnect},
		"unknown host":             {"zk.invalid:2181", "zk.invalid", drivers.ReasonConnect},
		"a gigabyte, then silence": {testserver.FakeServer(t, silent("\x40\x00\x00\x00")), "not a ZooKeeper server", drivers.ReasonConnect},
		"closes the connection":    {testserver.FakeServer(t, func(net.Conn) {}), "quorum", drivers.ReasonSession},
		"web server":               {testserver.FakeServer(t, silent("HTTP/1.1 400 Bad Request\r\n\r\n")), `not a ZooKeeper server: its answer begins with "HTTP"`, drivers.ReasonConnect},
		"patient web server":       {web.Listener.Addr().String(), "got no session: no answer in time: waited ", drivers.ReasonTimeout},
		"endless text":             {testserver.FakeServer(t, endless(strings.Repeat("ha", 1000))), `not a ZooKeeper server: its answer begins with "haha"`, drivers.ReasonConnect},
		"endless zeros":            {testserver.FakeServer(t, endless(strings.Repeat("\x00", 1000))), "not a ZooKeeper server", drivers.ReasonConnect},
		"silence":                  {testserver.FakeServer(t, silent("")), "got no session: no answer in time: waited ", drivers.ReasonTimeout},
		"a length, then silence":   {testserver.FakeServer(t, silent("\x00\x00\x00\x25")), "got no session: no answer in time: waited ", drivers.ReasonTimeout},
		"forged password":          {testserver.FakeServer(t, silent(string(packetOf(t, int32(0), int32(4000), int64(1), huge, make([]byte, 17))))), "not a ZooKeeper server", drivers.ReasonConnect},
		"no names at all":          {forgingServer(t, opGetChildren), "its answer is truncated", drivers.ReasonSession},
		"2 billion names":          {forgingServer(t, opGetChildren, huge, stat), "it sent 0 bytes and claims that they are 2147483647 names", drivers.ReasonSession},
		"4 billion names":          {forgingServer(t, opGetChildren, int32(-1), stat), "it sent 0 bytes and claims that they are 4294967295 names", drivers.ReasonSession},
		"2 names in 7 bytes":       {forgingServer(t, opGetChildren, int32(2), [7]byte{}, stat), "it sent 7 bytes and claims that they are 2 names", drivers.ReasonSession},
		"2.1 million empty names":  {forgingServer(t, opGetChildren, int32(2_100_000), make([]byte, 4*2_100_000), stat), "claims that they are 2100000 names", drivers.ReasonSession},
		"a name of 2 GB":           {forgingServer(t, opGetChildren, int32(1), huge, stat), "its answer is truncated", drivers.ReasonQuery},
		"2 GB of data":             {forgingServer(t, opGetData, huge, stat), "it sent 0 bytes and claims that they are 2147483647 bytes of data", drivers.ReasonSession},
		"a path of 2 GB":           {forgingServer(t, opSync, huge), "its answer is truncated", drivers.ReasonSession},
		"nothing where a path is":  {forgingServer(t, opSync), "its answer is truncated", drivers.ReasonSession},
	}
	requireMemory(t, 1<<30, func() {
		t.Run("all", func(t *testing.T) { // This subtest ends when all of its parallel subtests have ended.
			for name, test := range tests {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					cfg := configFor(test.addr)
					if test.reason == drivers.ReasonTimeout {
						cfg.SessionTimeout = drivers.Duration(300 * time.Millisecond) // An attempt takes less.
					}
					d := open(t, cfg)
					ctx, cancel := withTimeout(t, pollTimeout(test.reason))
					defer cancel()
					_, err := d.Members(ctx)
					require.ErrorIs(t, err, drivers.ErrUnavailable)
					require.ErrorContains(t, err, test.want)
					require.ErrorContains(t, err, test.addr)
					require.Equal(t, test.reason, drivers.ReasonOf(err), "%v", err)
				})
			}
		})
	})
}

// A forged answer to a transaction makes Join fail.
func TestHostileTransactions(t *testing.T) {
	for name, forged := range map[string][]any{
		"nothing":               nil,
		"half a header":         {int32(2), byte(0)},
		"no end":                {int32(2), byte(0), int32(0)},
		"a path of 4 GB":        {int32(1), byte(0), int32(0), int32(-1), int32(0)},
		"truncated metadata":    {int32(5), byte(0), int32(0), int64(0)},
		"a truncated error":     {int32(-1), byte(0), int32(0), int16(0)},
		"a truncated length":    {int32(1), byte(0), int32(0), int16(0)},
		"valid, then truncated": {int32(2), byte(0), int32(0), int32(5), byte(0)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t, configFor(fakeServer(t, func(op int32, path string) []any {
				switch {
				case op == opMulti:
					return forged
				case op == opExists && strings.HasSuffix(path, "/m"):
					return nil
				}
				return validAnswer(op, path)
			})))
			ctx, cancel := withTimeout(t, 300*time.Millisecond)
			defer cancel()
			_, err := d.Join(ctx, drivers.JoinRequest{Group: "g", Name: "m"})
			require.ErrorIs(t, err, drivers.ErrUnavailable)
			t.Log(err)
		})
	}
}

// Random answers to all requests, with and without a correct length, neither crash the process nor allocate much memory.
func TestRandomAnswers(t *testing.T) {
	const seed = 7
	random := rand.New(rand.NewPCG(seed, seed))
	lengths := []int32{0, 1, 2, 4, 17, 100, 1 << 20, 1 << 30, 0x7fffffff, -1, -2, -1 << 31}
	var forged atomic.Pointer[[]any]
	next := func() {
		var parts []any
		for range random.IntN(5) {
			parts = append(parts, lengths[random.IntN(len(lengths))])
			filler := make([]byte, random.IntN(90))
			for i := range filler {
				filler[i] = byte(random.IntN(4))
			}
			parts = append(parts, filler)
		}
		forged.Store(&parts)
	}
	next()
	d := open(t, configFor(fakeServer(t, func(op int32, path string) []any {
		if op == opPing || op == opSync {
			return validAnswer(op, path)
		}
		return *forged.Load()
	})))
	requireMemory(t, 1<<30, func() {
		for range 50 {
			ctx, cancel := context.WithTimeout(t.Context(), 60*time.Millisecond)
			_, _ = d.Members(ctx)
			cancel()
			next()
		}
	})
}

// A poll and a join that get no answer say how long they waited, in plain words.
func TestNoAnswerSaysHowLong(t *testing.T) {
	t.Parallel()
	frozen := testserver.FakeServer(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	for _, addrs := range [][]string{{frozen}, {frozen, frozen}, {"127.0.0.1:1", frozen}} {
		cfg := configFor(addrs...)
		cfg.SessionTimeout = drivers.Duration(300 * time.Millisecond)
		for _, wait := range []time.Duration{10 * time.Millisecond, 600 * time.Millisecond} { // within and after the first attempt
			ctx, cancel := withTimeout(t, wait)
			_, err := open(t, cfg).Members(ctx)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Regexp(t, `no answer in time: waited [1-9]|no time was left to wait`, err.Error())
			require.NotContains(t, err.Error(), "deadline exceeded")
			cancel()
		}
	}
	ctx, cancel := withTimeout(t, 10*time.Millisecond)
	defer cancel()
	_, err := open(t, configFor(frozen)).Join(ctx, drivers.JoinRequest{Group: "g", Name: "n"})
	require.ErrorContains(t, err, "joining g as n")
	require.Regexp(t, `no answer in time: waited |no time was left to wait`, err.Error())
}
