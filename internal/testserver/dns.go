package testserver

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"strings"
	"sync"
)

// A DNS is a DNS server for the names of a test.
type DNS struct {
	conn net.PacketConn

	mu    sync.Mutex
	names map[string]netip.Addr
}

// StartDNS starts a DNS server that knows no name, and makes it the one that this process asks. It is called before the tests begin,
// because resolving a name reads [net.DefaultResolver].
func StartDNS(t TB) *DNS {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listening for DNS: %v", err)
	}
	d := &DNS{conn: conn, names: map[string]netip.Addr{}}
	var serving sync.WaitGroup
	serving.Go(d.serve)
	before := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
	t.Cleanup(func() {
		net.DefaultResolver = before
		_ = conn.Close() // serve returns then.
		serving.Wait()
	})
	return d
}

// Set lets a name have an IPv4 address, and no other.
func (d *DNS) Set(name, address string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.names[name] = netip.MustParseAddr(address)
}

func (d *DNS) serve() {
	packet := make([]byte, 1500)
	for {
		n, from, err := d.conn.ReadFrom(packet)
		if err != nil {
			return // The test has ended.
		}
		_, _ = d.conn.WriteTo(d.answer(packet[:n]), from) // A client that has gone needs no answer.
	}
}

// answer answers a query with one question, by RFC 1035, section 4.
func (d *DNS) answer(query []byte) []byte {
	const header, typeA, noSuchName = 12, 1, 3
	var labels []string
	end := header
	for end < len(query) && query[end] > 0 {
		next := end + 1 + int(query[end])
		labels = append(labels, string(query[end+1:next]))
		end = next
	}
	end += 5 // the end of the name, the type and the class
	d.mu.Lock()
	address, known := d.names[strings.Join(labels, ".")]
	d.mu.Unlock()
	answer := append([]byte{query[0], query[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, query[header:end]...)
	switch {
	case !known:
		answer[3] |= noSuchName
	case binary.BigEndian.Uint16(query[end-4:]) == typeA:
		answer[7] = 1 // answers: the name of the question, A, IN, no time to live, four bytes
		answer = append(append(answer, 0xc0, header, 0, typeA, 0, 1, 0, 0, 0, 0, 0, 4), address.AsSlice()...)
	}
	return answer
}
