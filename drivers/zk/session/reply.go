package session

import (
	"encoding/binary"
	"fmt"
	"sync"
)

// The requests whose answers are looked into, by their numbers in the protocol.
const (
	opCreate      = 1
	opExists      = 3
	opGetData     = 4
	opSync        = 9
	opGetChildren = 12 // with the znode's numbers
	opTransaction = 14
)

// statSize is how many bytes a znode's numbers have.
const statSize = 68

// shortest gives how many bytes the answer to a request has at least behind its header, 0 for one that is not looked into.
func shortest(op int32) int {
	switch op {
	case opCreate, opSync:
		return 4
	case opExists:
		return statSize
	case opGetData, opGetChildren:
		return 4 + statSize
	case opTransaction:
		return resultHeader
	}
	return 0
}

// maxNames bounds the children of one znode: what a reader's longest packet holds of names that are of any use.
const maxNames = 2_000_000

// requests are the requests under way whose answers are looked into. It may be used concurrently.
type requests struct {
	mu  sync.Mutex
	ops map[int32]int32 // by the number that the answer will have
}

// note notes what a packet to the server asks for. The library writes each with one call.
func (r *requests) note(packet []byte) {
	if len(packet) < 12 {
		return
	}
	xid, op := int32(binary.BigEndian.Uint32(packet[4:])), int32(binary.BigEndian.Uint32(packet[8:]))
	if shortest(op) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ops == nil {
		r.ops = make(map[int32]int32)
	}
	r.ops[xid] = op
}

// take gives what was asked for, 0 for anything that is not looked into. There is only one answer to a request.
func (r *requests) take(xid int32) int32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	op := r.ops[xid]
	delete(r.ops, xid)
	return op
}

// A reply is a packet from the server, of which as much is kept as it takes to judge it.
type reply struct {
	size int    // of the packet
	want int    // how many bytes there are to judge
	kept []byte // as many of them as have come
	op   int32  // what was asked for, once that is known
}

// begin forgets the packet before.
func (r *reply) begin(size uint32) {
	*r = reply{size: int(size), want: minPacket, kept: r.kept[:0]}
}

// pass looks at the next bytes of the packet. It gives an error no later than with the last of them.
func (r *reply) pass(p []byte, asked *requests) error {
	for len(r.kept) < r.want {
		n := min(len(p), r.want-len(r.kept))
		if n == 0 {
			return nil
		}
		r.kept, p = append(r.kept, p[:n]...), p[n:]
		if len(r.kept) < r.want {
			return nil
		}
		if r.want == minPacket {
			r.op = asked.take(r.field(0))
			if r.op == 0 || r.field(12) != 0 { // Of an answer that says what went wrong, nothing else is read.
				return nil
			}
			if r.size < minPacket+shortest(r.op) {
				return errCutShort
			}
			if r.want = minPacket + 4; r.op == opTransaction {
				r.want = r.size
			}
			continue
		}
		return r.judge()
	}
	return nil
}

// field gives the number at a place.
func (r *reply) field(at int) int32 { return int32(binary.BigEndian.Uint32(r.kept[at:])) }

// judge checks what the library would take for granted: it makes room for as many names or bytes as an answer says it has
// before it looks whether they are there, and what lies behind the end of a short answer is what came before it.
func (r *reply) judge() error {
	left, n := r.size-minPacket-shortest(r.op), int64(uint32(r.field(minPacket)))
	switch {
	case r.op == opTransaction:
		return checkResults(r.kept[minPacket:])
	case r.op == opGetChildren && n > int64(min(left/4, maxNames)):
		return fmt.Errorf("it sent %d bytes and says that they are %d names of znodes", left, n)
	case r.op == opGetData && int32(n) > int32(left):
		return fmt.Errorf("it sent %d bytes and says that they are %d of data", left, n)
	case (r.op == opCreate || r.op == opSync) && n > int64(left):
		return errCutShort
	}
	return nil
}

// resultHeader is how many bytes there are before the answer to each request of a transaction.
const resultHeader = 9

// checkResults walks over the answers to the requests of a transaction, as the library does, which crashes where the mark
// of their end is missing.
func checkResults(results []byte) error {
	for rest := results; len(rest) >= resultHeader; {
		kind, done := int32(binary.BigEndian.Uint32(rest)), rest[4] != 0
		rest = rest[resultHeader:]
		if done {
			return nil
		}
		size := 0
		switch kind {
		case -1: // an error
			size = 4
		case opCreate: // the path follows
			if len(rest) < 4 {
				return errCutShort
			}
			size = 4 + int(binary.BigEndian.Uint32(rest))
		case 5: // data was set
			size = statSize
		case 2, 13: // deleted, checked
		default:
			return nil // The library gives up here too.
		}
		if size < 0 || size > len(rest) {
			return errCutShort
		}
		rest = rest[size:]
	}
	return errCutShort
}
