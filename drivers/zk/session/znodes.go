package session

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	zkclient "github.com/go-zookeeper/zk"
)

// A node is what is known of one znode. But for what the lock of nodes guards, it never changes once it is ready.
type Node struct {
	Exists bool
	Owner  int64 // the session that it ends with, 0 for none
	Czxid  int64 // the transaction that made it
	// Fields are fields of the data, nil if they were not asked for or if the data can't be read.
	Fields map[string]string

	// Guarded by the lock.
	ready   bool
	pending time.Time // when its watch first fired since the last successful poll
	poll    uint64
}

// nodes reads single znodes in one session, each with a watch. As long as that has not fired, the znode is as it was: the
// server sends what has happened to it before the answer to the sync that a poll begins with. So a znode is read once, and
// again when it was changed.
//
// Watches end with the session, and the next one begins with new nodes.
type Znodes struct {
	session *Session
	asked   func()                              // counts a round trip
	say     func(data []byte) map[string]string // takes what is asked for from the data; nil: nothing is

	mu    sync.Mutex
	known map[string]*Node
	fired map[string]time.Time // of znodes that were not read since
	poll  uint64               // as that of dirs
	fires uint64
	began time.Time
}

func newZnodes(asked func(), say func([]byte) map[string]string) *Znodes {
	return &Znodes{asked: asked, say: say, known: make(map[string]*Node), fired: make(map[string]time.Time)}
}

// fire is called when a watch on a path fires. Its creation may be one that others wait for, which costs a read.
func (n *Znodes) fire(path string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	e := n.known[path]
	if e == nil {
		return
	}
	delete(n.known, path)
	if e.ready && !e.pending.IsZero() {
		n.fired[path] = e.pending
	} else {
		n.fired[path] = time.Now()
	}
}

// Read gives a znode. One that is not there is awaited only if it may be: of those that a listing has shown, the listing
// will show the next one too.
func (n *Znodes) Read(ctx context.Context, path string, await bool) (*Node, error) {
	for {
		e, ready := n.begin(path)
		if ready {
			return e, nil
		}
		n.asked()
		_, err := Call(ctx, n.session, func(c *zkclient.Conn) (struct{}, error) {
			return struct{}{}, n.fetch(c, path, e)
		})
		if !errors.Is(err, zkclient.ErrNoNode) {
			return e, err
		}
		if !await {
			return &Node{}, nil
		}
		if e, ready = n.begin(path); ready {
			return e, nil
		}
		n.asked()
		absent, err := Call(ctx, n.session, func(c *zkclient.Conn) (bool, error) { return n.awaitCreation(c, path, e) })
		if err != nil || absent {
			return e, err
		}
	}
}

// begin gives what is known of a znode. If that is not ready, the caller has to make it so.
func (n *Znodes) begin(path string) (*Node, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	e := n.known[path]
	if e == nil || !e.ready {
		pending := n.fired[path]
		if e != nil && !e.pending.IsZero() {
			pending = e.pending
		}
		delete(n.fired, path)
		// Known before it is asked for, since the watch may fire before the answer is handed on.
		e = &Node{pending: pending}
		n.known[path] = e
	}
	e.poll = n.poll
	return e, e.ready
}

// fetch reads a znode that is there. It does so even if nobody waits for it any more, since the server has set the watch.
func (n *Znodes) fetch(c *zkclient.Conn, path string, e *Node) error {
	var data []byte
	var stat *zkclient.Stat
	var err error
	if n.say != nil {
		data, stat, _, err = c.GetW(path)
		err = denied(err, "READ", path)
	} else {
		var exists bool
		if exists, stat, _, err = c.ExistsW(path); err == nil && !exists {
			n.settle(e, false, nil, nil)
			return nil
		}
	}
	if err != nil {
		n.drop(path, e)
		return err
	}
	var said map[string]string
	if n.say != nil {
		said = n.say(data)
	}
	n.settle(e, true, stat, said)
	return nil
}

// awaitCreation waits for a znode whose data could not be read because it is not there. It gives false if it is by now.
func (n *Znodes) awaitCreation(c *zkclient.Conn, path string, e *Node) (bool, error) {
	exists, _, _, err := c.ExistsW(path)
	if err != nil || exists {
		n.drop(path, e)
		return false, err
	}
	n.settle(e, false, nil, nil)
	return true, nil
}

func (n *Znodes) settle(e *Node, exists bool, stat *zkclient.Stat, said map[string]string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	e.ready, e.Exists, e.Fields = true, exists, said
	if exists {
		e.Owner, e.Czxid = stat.EphemeralOwner, stat.Czxid
	}
}

// drop forgets a znode that could not be read.
func (n *Znodes) drop(path string, e *Node) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.known[path] == e {
		delete(n.known, path)
		if !e.pending.IsZero() {
			n.fired[path] = e.pending
		}
	}
}

// watched gives a znode that was read and whose watch has not fired since, else nil.
func (n *Znodes) watched(path string) *Node {
	n.mu.Lock()
	defer n.mu.Unlock()
	e := n.known[path]
	if e == nil || !e.ready {
		return nil
	}
	e.poll = n.poll
	return e
}

// beginPoll starts a poll that reads all znodes that are of interest, as that of dirs does.
func (n *Znodes) beginPoll(fires uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.poll == 0 || fires != n.fires {
		n.poll++
		n.fires = fires
	}
	n.began = time.Now()
}

// FirstChange gives when a znode was first seen to change since the last successful poll, zero if it was not.
func (n *Znodes) FirstChange(e *Node) time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return e.pending
}

// EndPoll ends a poll that was begun: what it has not read is forgotten.
func (n *Znodes) EndPoll() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for path, e := range n.known {
		if e.poll != n.poll {
			delete(n.known, path)
		}
		e.pending = time.Time{}
	}
	maps.DeleteFunc(n.fired, func(_ string, at time.Time) bool { return at.Before(n.began) })
}
