package session

import (
	"context"
	"slices"
	"sync/atomic"

	zkclient "github.com/go-zookeeper/zk"
)

// A Reader reads znodes in one session, and remembers each while its watch has not fired. Only one poll at a time may use
// it.
type Reader struct {
	Session *Session
	Dirs    *Directories
	Nodes   *Znodes
	Version string // of the server; empty if the server does not tell it

	opts  ReaderOptions
	fired atomic.Uint64 // the number of watches that have fired, plus 1

	// The values of fired when the current poll began, and when the last successful one began, 0 before that.
	revision, succeeded uint64
}

// ReaderOptions are what the readers of one driver have in common. The functions must not block.
type ReaderOptions struct {
	// OnRequest is called for each request to the server.
	OnRequest func()
	// OnChange is called for each watch that fires.
	OnChange func()
	// ParseData returns the fields of a znode's data that matter, nil if the data has none. If ParseData is nil, the data
	// of znodes is not read.
	ParseData func(data []byte) map[string]string
}

// openReader makes a session for reading. It tries until it succeeds or ctx ends, and calls report as Failures do.
func (d *Dialer) openReader(ctx context.Context, opts ReaderOptions, report func(err error, all bool)) (*Reader, error) {
	r := &Reader{opts: opts, Dirs: newDirectories(opts.OnRequest), Nodes: newZnodes(opts.OnRequest, opts.ParseData)}
	r.fired.Store(1)
	dialer := *d
	dialer.Options.maxReply, dialer.Options.OnWatch = maxReaderReply, r.watchFired
	s, err := dialer.Dial(ctx, NewFailures(d.Servers, report))
	if err != nil {
		return nil, err
	}
	r.Session, r.Dirs.session, r.Nodes.session = s, s, s
	r.Version = dialer.serverVersion(ctx, s)
	return r, nil
}

// watchFired is called when a watch fires, on the children of a path or on the znode itself.
func (r *Reader) watchFired(ev zkclient.Event) {
	r.fired.Add(1)
	if ev.Type != zkclient.EventNodeChildrenChanged {
		r.Nodes.watchFired(ev.Path)
	}
	if ev.Type != zkclient.EventNodeDataChanged {
		r.Dirs.watchFired(ev.Path)
	}
	r.opts.OnChange()
}

// BeginPoll begins a poll. It first waits until the server has caught up with the leader, so that the poll shows all that
// was acknowledged before, and fails if there is no leader. A server that has lost the leader would otherwise show an old
// state until it notices. The path may be any.
func (r *Reader) BeginPoll(ctx context.Context, path string) error {
	r.opts.OnRequest()
	if err := r.Session.Sync(ctx, path); err != nil {
		return err
	}
	r.revision = r.fired.Load()
	r.Dirs.beginPoll(r.revision)
	return nil
}

// BeginNodes begins the part of a poll that reads the znodes of all members.
func (r *Reader) BeginNodes() { r.Nodes.beginPoll(r.revision) }

// EndNodes ends the successful part of a poll that BeginNodes began, and forgets the znodes that it has not read.
func (r *Reader) EndNodes() { r.Nodes.endPoll() }

// EndPoll ends a successful poll.
func (r *Reader) EndPoll() {
	if !r.Unchanged() {
		r.Dirs.endPoll()
	}
	r.succeeded = r.revision
}

// Revision returns a number that is the same for two polls if no watch has fired between their beginnings.
func (r *Reader) Revision() uint64 { return r.revision }

// Unchanged reports whether no watch has fired since the last successful poll began.
func (r *Reader) Unchanged() bool { return r.succeeded > 0 && r.fired.Load() == r.succeeded }

// Cached returns the children of a path and its znode if both are known and their watches have not fired, else nil.
func (r *Reader) Cached(path string) (*Listing, *Node) {
	list, n := r.Dirs.cached(path), r.Nodes.cached(path)
	if list == nil || n == nil {
		return nil, nil
	}
	return list, n
}

// Get reads the data of a znode.
func (r *Reader) Get(ctx context.Context, path string) ([]byte, error) {
	r.opts.OnRequest()
	data, _, err := r.Session.Get(ctx, path)
	return data, err
}

// Stat reads the metadata of a znode. For a znode that does not exist it returns zk.ErrNoNode.
func (r *Reader) Stat(ctx context.Context, path string) (zkclient.Stat, error) {
	r.opts.OnRequest()
	return r.Session.Stat(ctx, path)
}

// List reads the names of a znode's children, sorted, and sets no watch. For a znode that does not exist it returns zk.ErrNoNode.
func (r *Reader) List(ctx context.Context, path string) ([]string, error) {
	r.opts.OnRequest()
	names, err := Call(ctx, r.Session, func(c *zkclient.Conn) ([]string, error) {
		names, _, err := c.Children(path)
		return names, withPermission(err, "READ", path)
	})
	slices.Sort(names)
	return names, err
}
