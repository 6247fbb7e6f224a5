package session

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"
)

// The limits of the length of a packet from a server, in bytes. The answer to the handshake has 36 bytes, or 37 since
// ZooKeeper 3.4. Every other packet begins with a header of 16 bytes; the client library does not check that it is there.
const (
	minHandshake, maxHandshake = 36, 64
	headerSize                 = 16
)

// A wire is a TCP connection to a server that checks each packet before the client library reads it. Without the checks
// the library would allocate what the first packet asks for (1.16 GiB if the server is a web server), crash on packets
// without a header, and allocate memory for as many names as an answer claims to have, up to the death of the process. It
// reads in its own goroutines, so this program can't recover from a crash there.
//
// Reads come from one goroutine at a time, writes from another.
type wire struct {
	net.Conn
	limit uint32 // the longest packet to accept, in bytes

	length     [4]byte // of the current packet, as far as received
	lengthRead int
	remaining  uint32 // bytes of the current packet that have not been received
	handshake  []byte // the answer to the handshake, as far as received
	requests   requests
	reply      reply // the current packet
	err        error // the first error of a read

	heard atomic.Int64 // when data was last received, in nanoseconds since 1970
}

// Read implements net.Conn.
func (w *wire) Read(p []byte) (int, error) {
	if w.remaining > 0 {
		return w.readBody(p)
	}
	n, err := w.Conn.Read(p[:min(len(p), len(w.length)-w.lengthRead)])
	if n > 0 {
		w.heard.Store(time.Now().UnixNano())
	}
	w.lengthRead += copy(w.length[w.lengthRead:], p[:n])
	if w.lengthRead == len(w.length) {
		w.lengthRead = 0
		w.remaining = binary.BigEndian.Uint32(w.length[:])
		if err := w.checkLength(); err != nil {
			w.fail(err)
			return 0, err // io.ReadFull would drop the error if the count were 4.
		}
		if w.handshakeDone() {
			w.reply.begin(w.remaining)
		}
	}
	w.fail(err)
	return n, err
}

func (w *wire) readBody(p []byte) (int, error) {
	n, err := w.Conn.Read(p[:min(len(p), int(w.remaining))])
	w.remaining -= uint32(n)
	if invalid := w.validate(p[:n]); invalid != nil {
		w.fail(invalid)
		return 0, invalid
	}
	w.fail(err)
	return n, err
}

// validate checks the next bytes of a packet's body.
func (w *wire) validate(p []byte) error {
	if w.handshakeDone() {
		return w.reply.check(p, &w.requests)
	}
	w.handshake = append(w.handshake, p...)
	switch {
	case !w.handshakeDone():
		return nil
	case w.sessionTimeout() <= 0:
		return errors.New("it refused to give a session") // The library would panic: it makes a ticker of the timeout.
	case int32(binary.BigEndian.Uint32(w.handshake[16:20])) > maxHandshake:
		return fmt.Errorf("%w: its password for the session is too long", errNotZooKeeper)
	}
	return nil
}

// Write implements net.Conn.
func (w *wire) Write(p []byte) (int, error) {
	w.requests.add(p)
	return w.Conn.Write(p)
}

// checkLength checks the length of the current packet.
func (w *wire) checkLength() error {
	switch {
	case !w.handshakeDone() && (w.remaining < minHandshake || w.remaining > maxHandshake):
		return fmt.Errorf("%w: its answer begins with %q", errNotZooKeeper, w.length[:])
	case w.handshakeDone() && (w.remaining < headerSize || w.remaining > w.limit):
		return fmt.Errorf("it sent a packet of %d bytes, which is not between %d and %d", w.remaining, headerSize, w.limit)
	}
	return nil
}

// handshakeDone reports whether the answer to the handshake has been received.
func (w *wire) handshakeDone() bool { return len(w.handshake) >= minHandshake }

// sessionTimeout returns the timeout that the server granted: the second field of its answer, in milliseconds.
func (w *wire) sessionTimeout() time.Duration {
	return time.Duration(int32(binary.BigEndian.Uint32(w.handshake[4:8]))) * time.Millisecond
}

// lastHeard returns when the server's last packet began to arrive.
func (w *wire) lastHeard() time.Time { return time.Unix(0, w.heard.Load()) }

func (w *wire) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}
