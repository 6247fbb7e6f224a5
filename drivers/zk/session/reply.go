package session

import (
	"encoding/binary"
	"fmt"
	"sync"
)

// This file checks the lengths inside the server's answers, because version 1.0.4 of the client library does not: a server
// that sends a wrong length can crash the process or make it allocate gigabytes. It is removed when a release of the
// library checks them; docs/upstream/go-zookeeper-reply-bounds.md has the patch.

// The types of requests whose answers are checked, as numbered by the protocol.
const (
	opCreate      = 1
	opExists      = 3
	opGetData     = 4
	opGetACL      = 6
	opSync        = 9
	opGetChildren = 12 // getChildren2, which also returns the znode's metadata
	opMulti       = 14
)

// The types of the results of a multi request, beside opCreate.
const (
	resultError   = -1
	resultDelete  = 2
	resultSetData = 5
	resultCheck   = 13
)

const (
	statSize         = 68 // the length of a znode's metadata, in bytes
	resultHeaderSize = 9  // before each result of a multi request
	minACLSize       = 12 // the length of an entry of an ACL without its texts
)

// maxNames bounds the number of a znode's children. A reader's longest packet has room for this many names of a useful
// length.
const maxNames = 2_000_000

// minBodySize returns how many bytes the answer to a request has at least behind its header, 0 if the answer is not
// checked.
func minBodySize(op int32) int {
	switch op {
	case opCreate, opSync:
		return 4
	case opExists:
		return statSize
	case opGetData, opGetACL, opGetChildren:
		return 4 + statSize
	case opMulti:
		return resultHeaderSize
	}
	return 0
}

// requests are the requests in flight whose answers are checked. It may be used concurrently.
type requests struct {
	mu  sync.Mutex
	ops map[int32]int32 // the type of the request, by its number (xid)
}

// add records the request in a packet to the server. The library writes each packet by one call.
func (r *requests) add(packet []byte) {
	if len(packet) < 12 {
		return
	}
	xid, op := int32(binary.BigEndian.Uint32(packet[4:])), int32(binary.BigEndian.Uint32(packet[8:]))
	if minBodySize(op) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ops == nil {
		r.ops = make(map[int32]int32)
	}
	r.ops[xid] = op
}

// remove removes a request, since a request has only one answer, and returns its type, 0 if its answer is not checked.
func (r *requests) remove(xid int32) int32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	op := r.ops[xid]
	delete(r.ops, xid)
	return op
}

// A reply is a packet from the server. It buffers the bytes that have to be checked.
type reply struct {
	size int    // of the packet
	want int    // how many bytes have to be checked
	kept []byte // these bytes, as far as received
	op   int32  // the type of the request, once it is known
}

// begin starts the next packet.
func (r *reply) begin(size uint32) {
	*r = reply{size: int(size), want: headerSize, kept: r.kept[:0]}
}

// check checks the next bytes of the packet. It returns an error at the latest with the packet's last byte, if at all.
func (r *reply) check(p []byte, sent *requests) error {
	for len(r.kept) < r.want {
		n := min(len(p), r.want-len(r.kept))
		if n == 0 {
			return nil
		}
		r.kept, p = append(r.kept, p[:n]...), p[n:]
		if len(r.kept) < r.want {
			return nil
		}
		if r.want == headerSize {
			if r.field(12) == saslRequired {
				return errSASL // The end of the connection, which follows, would hide it.
			}
			r.op = sent.remove(r.field(0))
			if r.op == 0 || r.field(12) != 0 { // The library reads only the header of an answer with an error code.
				return nil
			}
			if r.size < headerSize+minBodySize(r.op) {
				return errTruncated
			}
			if r.want = headerSize + 4; r.op == opMulti {
				r.want = r.size
			}
			continue
		}
		return r.validate()
	}
	return nil
}

// field returns the number at an offset.
func (r *reply) field(offset int) int32 { return int32(binary.BigEndian.Uint32(r.kept[offset:])) }

// validate checks the length that the answer begins with. The library allocates memory for as many names or bytes as that
// says, before it checks that they are there; and for a short answer, it reads bytes of the packet before it in its buffer.
func (r *reply) validate() error {
	left, n := r.size-headerSize-minBodySize(r.op), int64(uint32(r.field(headerSize)))
	switch {
	case r.op == opMulti:
		return checkResults(r.kept[headerSize:])
	case r.op == opGetChildren && n > int64(min(left/4, maxNames)):
		return fmt.Errorf("it sent %d bytes and claims that they are %d names of znodes", left, n)
	case r.op == opGetACL && n > int64(left/minACLSize):
		return fmt.Errorf("it sent %d bytes and claims that they are %d entries of an ACL", left, n)
	case r.op == opGetData && int32(n) > int32(left):
		return fmt.Errorf("it sent %d bytes and claims that they are %d bytes of data", left, n)
	case (r.op == opCreate || r.op == opSync) && n > int64(left):
		return errTruncated
	}
	return nil
}

// checkResults checks the results of a multi request. The library crashes if the result that marks the end is missing.
func checkResults(results []byte) error {
	for rest := results; len(rest) >= resultHeaderSize; {
		kind, last := int32(binary.BigEndian.Uint32(rest)), rest[4] != 0
		rest = rest[resultHeaderSize:]
		if last {
			return nil
		}
		size := 0
		switch kind {
		case resultError:
			size = 4
		case opCreate: // A path follows.
			if len(rest) < 4 {
				return errTruncated
			}
			size = 4 + int(binary.BigEndian.Uint32(rest))
		case resultSetData:
			size = statSize
		case resultDelete, resultCheck:
		default:
			return nil // The library stops here, too.
		}
		if size < 0 || size > len(rest) {
			return errTruncated
		}
		rest = rest[size:]
	}
	return errTruncated
}
