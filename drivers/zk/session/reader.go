package session

import (
	"context"
	"sync/atomic"

	zkclient "github.com/go-zookeeper/zk"
)

// A Reader reads znodes in one session and remembers them as long as their watches have not fired. One poll at a time
// uses it.
type Reader struct {
	Session *Session
	Dirs    *Directories
	Nodes   *Znodes
	Version string // of the server; empty if the server does not tell it

	opts  ReaderOptions
	fired atomic.Uint64 // how many watches have fired

	revision, done uint64 // fired when the current poll began, and when the last successful poll began
}

// ReaderOptions are what the readers of one driver have in common. The functions must not block.
type ReaderOptions struct {
	// OnRequest is called for each request to the server.
	OnRequest func()
	// OnChange is called for each watch that fires.
	OnChange func()
	// ParseData returns the wanted fields of a znode's data, nil if the data can't be read. If ParseData is nil, the data
	// of znodes is not read.
	ParseData func(data []byte) map[string]string
}

// openReader makes a session for reading. It tries until it succeeds or ctx ends, and calls report for each failure.
func (d *Dialer) openReader(ctx context.Context, opts ReaderOptions, report func(error, bool)) (*Reader, error) {
	r := &Reader{opts: opts, Dirs: newDirectories(opts.OnRequest), Nodes: newZnodes(opts.OnRequest, opts.ParseData)}
	r.fired.Store(1) // 0 is the number of no poll.
	reading := *d
	reading.Options.maxReply, reading.Options.OnWatch = maxReply, r.watchFired
	s, err := reading.Dial(ctx, NewFailures(d.Servers, report))
	if err != nil {
		return nil, err
	}
	r.Session, r.Dirs.session, r.Nodes.session = s, s, s
	r.Version = reading.serverVersion(ctx, s)
	return r, nil
}

// watchFired is called when a watch fires, on the children of a path or on the path itself.
func (r *Reader) watchFired(ev zkclient.Event) {
	r.fired.Add(1)
	if ev.Type != zkclient.EventNodeChildrenChanged {
		r.Nodes.fire(ev.Path)
	}
	if ev.Type != zkclient.EventNodeDataChanged {
		r.Dirs.fire(ev.Path)
	}
	r.opts.OnChange()
}

// Cached returns the children and the data of a path if both are known and watched, else nil.
func (r *Reader) Cached(path string) (*Listing, *Node) {
	list, n := r.Dirs.watched(path), r.Nodes.watched(path)
	if list == nil || n == nil {
		return nil, nil
	}
	return list, n
}

// BeginPoll begins a poll. It waits until the server has caught up with the leader: without that, a follower that has
// lost the leader would show an old state until it notices, and with it, the poll fails if there is no leader. The path
// may be any.
func (r *Reader) BeginPoll(ctx context.Context, path string) error {
	r.opts.OnRequest()
	_, err := Call(ctx, r.Session, func(c *zkclient.Conn) (string, error) { return c.Sync(path) })
	if err != nil {
		return err
	}
	r.revision = r.fired.Load()
	r.Dirs.beginPoll(r.revision)
	return nil
}

// BeginNodes begins the part of a poll that reads all members' znodes.
func (r *Reader) BeginNodes() { r.Nodes.beginPoll(r.revision) }

// Revision returns a number that is the same for two polls if no watch has fired between their beginnings.
func (r *Reader) Revision() uint64 { return r.revision }

// Unchanged reports whether no watch has fired since the last successful poll began.
func (r *Reader) Unchanged() bool { return r.done > 0 && r.fired.Load() == r.done }

// EndPoll ends a successful poll. If nothing has changed since the poll before, there is nothing to update.
func (r *Reader) EndPoll() {
	if !r.Unchanged() {
		r.Dirs.succeeded()
	}
	r.done = r.revision
}

// Get reads the data of a znode.
func (r *Reader) Get(ctx context.Context, path string) ([]byte, error) {
	r.opts.OnRequest()
	data, _, err := r.Session.Get(ctx, path)
	return data, err
}

// Stat reads the metadata of a znode. A znode that does not exist is an error, as for Get.
func (r *Reader) Stat(ctx context.Context, path string) (zkclient.Stat, error) {
	r.opts.OnRequest()
	return r.Session.Stat(ctx, path)
}
