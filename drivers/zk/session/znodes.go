package session

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	zkclient "github.com/go-zookeeper/zk"
)

// A Node is what is known of one znode.
type Node struct {
	// These fields never change once the znode was read.

	Exists bool
	Owner  int64 // the session whose end deletes the znode; 0: the znode is persistent
	Czxid  int64 // the transaction that created the znode
	// Fields are fields of the data; nil if the data was not read or has no fields.
	Fields map[string]string

	// These fields are guarded by the lock of Znodes.

	read    bool
	pending time.Time // when the watch first fired since the last successful poll
	poll    uint64    // the last poll that read the znode
}

// Znodes reads single znodes and watches each, in one session. A znode is read once, and read again only after its watch
// has fired: the server sends watch events before the answer to the sync request that a poll begins with.
//
// Its watches end with the session, so the next session has new Znodes.
type Znodes struct {
	session   *Session
	onRequest func()
	parseData func(data []byte) map[string]string // see ReaderOptions

	mu       sync.Mutex
	known    map[string]*Node
	fired    map[string]time.Time // when a watch fired, of znodes that were not read since
	poll     uint64               // as in Directories
	revision uint64
	began    time.Time // of the current poll
}

func newZnodes(onRequest func(), parseData func([]byte) map[string]string) *Znodes {
	return &Znodes{
		onRequest: onRequest, parseData: parseData,
		known: make(map[string]*Node), fired: make(map[string]time.Time),
	}
}

// watchFired is called when a watch on a path fires. A watch of Directories for the creation of the same path makes it
// fire, too, which costs one more read.
func (z *Znodes) watchFired(path string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	n := z.known[path]
	if n == nil {
		return
	}
	delete(z.known, path)
	if n.read && !n.pending.IsZero() {
		z.fired[path] = n.pending
	} else {
		z.fired[path] = time.Now()
	}
}

// Read returns a znode. With await, it sets a watch on the creation of a znode that does not exist. Without, the znode must
// be one that a listing has shown, so that the next listing shows whether it was created again.
func (z *Znodes) Read(ctx context.Context, path string, await bool) (*Node, error) {
	for {
		n, read := z.begin(path)
		if read {
			return n, nil
		}
		z.onRequest()
		_, err := Call(ctx, z.session, func(c *zkclient.Conn) (struct{}, error) {
			return struct{}{}, z.fetch(c, path, n)
		})
		if !errors.Is(err, zkclient.ErrNoNode) {
			return n, err
		}
		if !await {
			return &Node{}, nil
		}
		if n, read = z.begin(path); read {
			return n, nil
		}
		z.onRequest()
		absent, err := Call(ctx, z.session, func(c *zkclient.Conn) (bool, error) { return z.watchCreation(c, path, n) })
		if err != nil || absent {
			return n, err
		}
	}
}

// begin returns what is known of a znode, and whether it was read. If not, the caller has to read it.
func (z *Znodes) begin(path string) (n *Node, read bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	n = z.known[path]
	if n == nil || !n.read {
		pending := z.fired[path]
		if n != nil && !n.pending.IsZero() {
			pending = n.pending
		}
		delete(z.fired, path)
		// This comes before the request, since the watch may fire before the answer is returned.
		n = &Node{pending: pending}
		z.known[path] = n
	}
	n.poll = z.poll
	return n, n.read
}

// fetch reads a znode and sets a watch. It stores the answer even if the caller of Read no longer waits, since the server
// has set the watch.
func (z *Znodes) fetch(c *zkclient.Conn, path string, n *Node) error {
	var data []byte
	var stat *zkclient.Stat
	var err error
	if z.parseData != nil {
		data, stat, _, err = c.GetW(path)
		err = withPermission(err, "READ", path)
	} else {
		var exists bool
		if exists, stat, _, err = c.ExistsW(path); err == nil && !exists {
			z.store(n, false, nil, nil)
			return nil
		}
	}
	if err != nil {
		z.readFailed(path, n)
		return err
	}
	var fields map[string]string
	if z.parseData != nil {
		fields = z.parseData(data)
	}
	z.store(n, true, stat, fields)
	return nil
}

// watchCreation sets a watch on the creation of a znode that fetch did not find. It returns false if the znode exists by
// now.
func (z *Znodes) watchCreation(c *zkclient.Conn, path string, n *Node) (absent bool, err error) {
	exists, _, _, err := c.ExistsW(path)
	if err != nil || exists {
		z.readFailed(path, n)
		return false, err
	}
	z.store(n, false, nil, nil)
	return true, nil
}

func (z *Znodes) store(n *Node, exists bool, stat *zkclient.Stat, fields map[string]string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	n.read, n.Exists, n.Fields = true, exists, fields
	if exists {
		n.Owner, n.Czxid = stat.EphemeralOwner, stat.Czxid
	}
}

// readFailed forgets a znode that could not be read.
func (z *Znodes) readFailed(path string, n *Node) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.known[path] == n {
		delete(z.known, path)
		if !n.pending.IsZero() {
			z.fired[path] = n.pending
		}
	}
}

// cached returns a znode that was read and whose watch has not fired, else nil.
func (z *Znodes) cached(path string) *Node {
	z.mu.Lock()
	defer z.mu.Unlock()
	n := z.known[path]
	if n == nil || !n.read {
		return nil
	}
	n.poll = z.poll
	return n
}

// beginPoll begins a poll that reads all znodes of members; see Directories.beginPoll.
func (z *Znodes) beginPoll(revision uint64) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.poll == 0 || revision != z.revision {
		z.poll++
		z.revision = revision
	}
	z.began = time.Now()
}

// FirstChange returns when the watch of a znode first fired since the last successful poll, the zero time if it has not.
func (z *Znodes) FirstChange(n *Node) time.Time {
	z.mu.Lock()
	defer z.mu.Unlock()
	return n.pending
}

// endPoll ends a successful poll and forgets the znodes that it has not read.
func (z *Znodes) endPoll() {
	z.mu.Lock()
	defer z.mu.Unlock()
	for path, n := range z.known {
		if n.poll != z.poll {
			delete(z.known, path)
		}
		n.pending = time.Time{}
	}
	maps.DeleteFunc(z.fired, func(_ string, at time.Time) bool { return at.Before(z.began) })
}
