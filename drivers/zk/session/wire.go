package session

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"
)

// The lengths that a packet from a server may have. The answer to the handshake has 36 bytes, or 37 since 3.4; every
// other packet begins with a header of 16 bytes, which the client library takes for granted.
const (
	minHello, maxHello = 36, 64
	minPacket          = 16
)

// A wire is a TCP connection to a server whose incoming packets are checked before the client library sees them: the
// library allocates what the first packet asks for, 1.16 GiB when the peer is a web server, crashes on packets without a
// header, and makes room for as many names as an answer says it has, which takes the process down when there is none. It
// reads in goroutines of its own, so that nobody else could recover.
//
// Reads come from one goroutine at a time, writes from another.
type wire struct {
	net.Conn
	limit uint32 // the longest packet that may come, in bytes

	head     [4]byte // the length of the current packet, as far as it has come
	headLen  int
	bodyLeft uint32 // bytes of the current packet that are still to come
	hello    []byte // the answer to the handshake, as far as it has come
	asked    requests
	reply    reply // the current packet
	err      error // why reading failed first

	heard atomic.Int64 // when something came last, in nanoseconds since 1970; read by other goroutines too
}

// Read implements net.Conn.
func (w *wire) Read(p []byte) (int, error) {
	if w.bodyLeft > 0 {
		return w.readBody(p)
	}
	n, err := w.Conn.Read(p[:min(len(p), len(w.head)-w.headLen)])
	if n > 0 {
		w.heard.Store(time.Now().UnixNano())
	}
	w.headLen += copy(w.head[w.headLen:], p[:n])
	if w.headLen == len(w.head) {
		w.headLen = 0
		w.bodyLeft = binary.BigEndian.Uint32(w.head[:])
		if err := w.checkLength(); err != nil {
			w.fail(err)
			return 0, err // With a count above zero the library would go on.
		}
		if w.greeted() {
			w.reply.begin(w.bodyLeft)
		}
	}
	w.fail(err)
	return n, err
}

func (w *wire) readBody(p []byte) (int, error) {
	n, err := w.Conn.Read(p[:min(len(p), int(w.bodyLeft))])
	w.bodyLeft -= uint32(n)
	if bad := w.judge(p[:n]); bad != nil {
		w.fail(bad)
		return 0, bad
	}
	w.fail(err)
	return n, err
}

// judge looks at what has come of a packet's body.
func (w *wire) judge(p []byte) error {
	if w.greeted() {
		return w.reply.pass(p, &w.asked)
	}
	w.hello = append(w.hello, p...)
	switch {
	case !w.greeted():
		return nil
	case w.sessionTimeout() <= 0:
		return errors.New("it refused to give a session") // The library would make a ticker of it, which panics.
	case int32(binary.BigEndian.Uint32(w.hello[16:20])) > maxHello:
		return fmt.Errorf("%w: its password for the session is too long", errNotZooKeeper)
	}
	return nil
}

// Write implements net.Conn.
func (w *wire) Write(p []byte) (int, error) {
	w.asked.note(p)
	return w.Conn.Write(p)
}

// checkLength judges the length in head.
func (w *wire) checkLength() error {
	switch {
	case !w.greeted() && (w.bodyLeft < minHello || w.bodyLeft > maxHello):
		return fmt.Errorf("%w: its answer begins with %q", errNotZooKeeper, w.head[:])
	case w.greeted() && (w.bodyLeft < minPacket || w.bodyLeft > w.limit):
		return fmt.Errorf("it sent a packet of %d bytes, which is not between %d and %d", w.bodyLeft, minPacket, w.limit)
	}
	return nil
}

// greeted says whether the answer to the handshake has come, which holds a session.
func (w *wire) greeted() bool { return len(w.hello) >= minHello }

// sessionTimeout is what the server granted: the second field of its answer, in milliseconds.
func (w *wire) sessionTimeout() time.Duration {
	return time.Duration(int32(binary.BigEndian.Uint32(w.hello[4:8]))) * time.Millisecond
}

// lastHeard is when the server's last packet began to come.
func (w *wire) lastHeard() time.Time { return time.Unix(0, w.heard.Load()) }

func (w *wire) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}
