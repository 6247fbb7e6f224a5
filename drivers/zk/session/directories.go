package session

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	zkclient "github.com/go-zookeeper/zk"
)

// A Listing is the children of a znode at one instant. It never changes.
type Listing struct {
	Names []string      // sorted
	Stat  zkclient.Stat // the znode's metadata; zero if the znode does not exist
}

// Exists reports whether the znode exists. The root's czxid is 0, but it always has children.
func (l *Listing) Exists() bool { return l.Stat != zkclient.Stat{} }

// SameChildren reports whether later metadata of the znode, from the same server, show that no child was created or
// deleted since. Pzxid is the last transaction that did so.
func (l *Listing) SameChildren(stat zkclient.Stat) bool {
	return l.Stat.Czxid == stat.Czxid && l.Stat.Ctime == stat.Ctime && l.Stat.Pzxid == stat.Pzxid && l.Stat.Cversion == stat.Cversion
}

// A directory is what is known of the children of one path.
type directory struct {
	list    *Listing // nil until it was read with the current watch
	watched bool     // a watch is set; there is at most one for each path
	watch   uint64   // how many watches have been set: the number of the current one
	// fired is when the last watch fired, zero since a new one was set; pending is the first such time that no successful
	// poll has reported.
	fired, pending time.Time
	covered        bool   // a poll has succeeded since the first watch was set
	poll           uint64 // the last poll that read the path
}

// Directories reads the children of znodes and watches them, in one session. Its watches end with the session, so the next
// session has new Directories.
//
// A path is read with a watch if none is set. While the watch has not fired, the znode's metadata show that the children
// are the same, which is one short answer for a group of any size.
type Directories struct {
	session   *Session
	onRequest func()

	mu       sync.Mutex
	paths    map[string]*directory
	recent   []string // paths whose watch fired before the last successful poll
	poll     uint64   // the number of the current poll; polls between which no watch has fired have the same number
	revision uint64   // of the current poll, as Reader.Revision
}

func newDirectories(onRequest func()) *Directories {
	return &Directories{onRequest: onRequest, paths: make(map[string]*directory)}
}

// get returns what is known of a path. The caller has locked mu.
func (d *Directories) get(path string) *directory {
	dir := d.paths[path]
	if dir == nil {
		dir = &directory{}
		d.paths[path] = dir
	}
	return dir
}

// watchFired is called when the watch on a path fires. It takes the time before the answers that show the
// change.
func (d *Directories) watchFired(path string) {
	now := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	dir := d.get(path)
	dir.watched = false
	if dir.fired.IsZero() {
		dir.fired = now
	}
}

// Read returns the children of a path and the znode's current metadata. A path without a znode has no children.
func (d *Directories) Read(ctx context.Context, path string) (*Listing, error) {
	for {
		list, watch := d.begin(path)
		if watch != 0 {
			list, err := d.listAndWatch(ctx, path, watch)
			if err != nil || list != nil {
				return list, err
			}
			continue // The znode was created meanwhile.
		}
		if list != nil {
			same, err := d.refresh(ctx, path, list)
			if err != nil || same != nil {
				return same, err
			}
		}
		// A watch is set, for the znode's creation, or for children that were not read because ctx ended.
		if watch := d.currentWatch(path); watch != 0 {
			return d.listOnly(ctx, path, watch)
		}
	}
}

// ReadCached is like Read, but makes no request while the watch has not fired, and returns the metadata of the last read.
// It is up to date all the same: the server sends watch events before the answer to the sync request that a poll begins
// with.
func (d *Directories) ReadCached(ctx context.Context, path string) (*Listing, error) {
	if list := d.cached(path); list != nil {
		return list, nil
	}
	return d.Read(ctx, path)
}

// cached returns the children of a path if they are known and their watch has not fired, else nil.
func (d *Directories) cached(path string) *Listing {
	d.mu.Lock()
	defer d.mu.Unlock()
	dir := d.paths[path]
	if dir == nil || !dir.watched || dir.list == nil {
		return nil
	}
	dir.poll = d.poll
	return dir.list
}

// begin records that the current poll reads the path. If no watch is set, it returns the number of a new one, which the
// caller has to set.
func (d *Directories) begin(path string) (list *Listing, watch uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	dir := d.get(path)
	dir.poll = d.poll
	if dir.watched {
		return dir.list, 0
	}
	if dir.pending.IsZero() {
		dir.pending = dir.fired
	}
	// This comes before the request, since the watch may fire before the answer is returned.
	dir.watched, dir.fired, dir.list = true, time.Time{}, nil
	dir.watch++
	return nil, dir.watch
}

// currentWatch returns the number of the watch that is set, 0 if none is.
func (d *Directories) currentWatch(path string) uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	if dir := d.get(path); dir.watched {
		return dir.watch
	}
	return 0
}

// watchFailed records that a watch was not set.
func (d *Directories) watchFailed(path string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.get(path).watched = false
}

// store returns a listing, and keeps it unless there is a newer watch, so that a late answer replaces nothing newer.
func (d *Directories) store(path string, watch uint64, names []string, stat *zkclient.Stat) *Listing {
	slices.Sort(names)
	list := &Listing{Names: names}
	if stat != nil {
		list.Stat = *stat
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if dir := d.get(path); dir.watch == watch {
		dir.list = list
	}
	return list
}

// listAndWatch reads the children and sets a watch on them, or on the znode's creation if it does not exist. It returns nil
// if the znode was created between the two requests.
func (d *Directories) listAndWatch(ctx context.Context, path string, watch uint64) (*Listing, error) {
	d.onRequest()
	// The answer is stored even if ctx has ended, since the server has set the watch.
	list, err := Call(ctx, d.session, func(c *zkclient.Conn) (*Listing, error) {
		names, stat, _, err := c.ChildrenW(path)
		if err != nil {
			d.watchFailed(path)
			return nil, withPermission(err, "READ", path)
		}
		return d.store(path, watch, names, stat), nil
	})
	if errors.Is(err, zkclient.ErrNoNode) {
		return d.watchCreation(ctx, path)
	}
	return list, err
}

func (d *Directories) watchCreation(ctx context.Context, path string) (*Listing, error) {
	_, watch := d.begin(path)
	d.onRequest()
	return Call(ctx, d.session, func(c *zkclient.Conn) (*Listing, error) {
		exists, _, _, err := c.ExistsW(path)
		if err != nil || exists {
			d.watchFailed(path)
			return nil, err
		}
		return d.store(path, watch, nil, nil), nil
	})
}

// refresh returns the listing with the znode's current metadata if its children are the same, else nil.
func (d *Directories) refresh(ctx context.Context, path string, list *Listing) (*Listing, error) {
	d.onRequest()
	stat, err := Call(ctx, d.session, func(c *zkclient.Conn) (zkclient.Stat, error) {
		exists, stat, err := c.Exists(path)
		if err != nil || !exists {
			return zkclient.Stat{}, err
		}
		return *stat, nil
	})
	if err != nil || !list.SameChildren(stat) {
		return nil, err
	}
	if list.Stat == stat {
		return list, nil
	}
	return &Listing{Names: list.Names, Stat: stat}, nil
}

// listOnly reads the children and sets no watch.
func (d *Directories) listOnly(ctx context.Context, path string, watch uint64) (*Listing, error) {
	d.onRequest()
	list, err := Call(ctx, d.session, func(c *zkclient.Conn) (*Listing, error) {
		names, stat, err := c.Children(path)
		if err != nil {
			return nil, withPermission(err, "READ", path)
		}
		return d.store(path, watch, names, stat), nil
	})
	if errors.Is(err, zkclient.ErrNoNode) {
		return d.store(path, watch, nil, nil), nil
	}
	return list, err
}

// beginPoll begins a poll with a new number, unless no watch has fired since the poll before.
func (d *Directories) beginPoll(revision uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.poll == 0 || revision != d.revision {
		d.poll++
		d.revision = revision
	}
}

// FirstChange returns when the watch of a path or of any of the paths inside first fired since the last successful poll. It
// returns the zero time if none has fired, and if the path was not watched all the time.
func (d *Directories) FirstChange(path string, inside []string) time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	first := d.get(path).pending
	for _, p := range inside {
		if t := d.get(p).pending; first.IsZero() || !t.IsZero() && t.Before(first) {
			first = t
		}
	}
	if !d.get(path).covered {
		return time.Time{}
	}
	return first
}

// Covers reports whether the children of a path were watched all the time since the last successful poll.
func (d *Directories) Covers(path string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.get(path).covered
}

// endPoll ends a successful poll. Paths that it has read are covered from now on. Paths that it has not read are forgotten,
// unless a watch is set, since a second watch must not be set.
func (d *Directories) endPoll() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.recent = d.recent[:0]
	for path, dir := range d.paths {
		if !dir.pending.IsZero() {
			d.recent = append(d.recent, path)
		}
		switch {
		case dir.poll == d.poll:
			dir.covered, dir.pending = true, time.Time{}
		case !dir.watched:
			delete(d.paths, path)
		default:
			dir.covered, dir.list = false, nil
		}
	}
}
