package session

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	zkclient "github.com/go-zookeeper/zk"
)

// A listing is the children of a znode as they were at some instant. It never changes.
type Listing struct {
	Names []string      // sorted
	Stat  zkclient.Stat // zero where there is no such znode
}

// SameChildren says whether a later look at the znode shows that no child came or went. Pzxid is the transaction that
// last changed the children; both looks are the same server's.
func (l *Listing) SameChildren(stat zkclient.Stat) bool {
	return l.Stat.Czxid == stat.Czxid && l.Stat.Pzxid == stat.Pzxid && l.Stat.Cversion == stat.Cversion
}

// A dir is what is known of one path in one session.
type dir struct {
	list  *Listing // nil before the first read
	armed bool     // a watch is outstanding: at most one a path
	turn  uint64   // counts the watches
	// fired is when the watch fired that was outstanding last, zero since it was armed again; pending is the first such
	// time that no successful poll has reported yet.
	fired, pending time.Time
	covered        bool // a poll has succeeded since the first watch was armed
	poll           uint64
}

// dirs reads znodes' children in one session and watches them. A session's watches end with it, so the next one begins
// with new dirs.
//
// A path is read with a watch when none is outstanding. As long as that has not fired, a look at the znode's own numbers
// shows that the children are still the same, which is one small answer for a group of any size.
type Directories struct {
	session *Session
	asked   func() // counts a round trip

	mu    sync.Mutex
	paths map[string]*dir
	poll  uint64 // the number of the poll that is under way; quiet ones share one
	fires uint64 // how many watches had fired when it began
}

func newDirectories(asked func()) *Directories {
	return &Directories{asked: asked, paths: make(map[string]*dir)}
}

func (d *Directories) get(path string) *dir {
	e := d.paths[path]
	if e == nil {
		e = &dir{}
		d.paths[path] = e
	}
	return e
}

// fire is called when the watch on a path fires. Its time has to be taken here, before the answers that show the change.
func (d *Directories) fire(path string) {
	now := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.get(path)
	e.armed = false
	if e.fired.IsZero() {
		e.fired = now
	}
}

// Read gives the children of a path and the znode's present numbers. A path without a znode has none.
func (d *Directories) Read(ctx context.Context, path string) (*Listing, error) {
	for {
		list, turn := d.begin(path)
		if turn != 0 {
			list, err := d.list(ctx, path, turn)
			if err != nil || list != nil {
				return list, err
			}
			continue // It came into being while it was looked at.
		}
		if list != nil {
			same, err := d.unchanged(ctx, path, list)
			if err != nil || same != nil {
				return same, err
			}
		}
		if turn := d.armed(path); turn != 0 { // A watch for the znode's creation, or one whose first read was cut short.
			return d.listUnwatched(ctx, path, turn)
		}
	}
}

// ReadCached is like Read, but takes the watch's word: as long as that has not fired, nothing is asked. The server sends what
// has happened before the answer to the sync that a poll begins with.
func (d *Directories) ReadCached(ctx context.Context, path string) (*Listing, error) {
	if list := d.watched(path); list != nil {
		return list, nil
	}
	return d.Read(ctx, path)
}

// watched gives the children of a path that were read and whose watch has not fired since, else nil.
func (d *Directories) watched(path string) *Listing {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.paths[path]
	if e == nil || !e.armed || e.list == nil {
		return nil
	}
	e.poll = d.poll
	return e.list
}

// begin notes that a poll reads the path. Unless a watch is outstanding, it is the caller's turn to arm one.
func (d *Directories) begin(path string) (list *Listing, turn uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.get(path)
	e.poll = d.poll
	if e.armed {
		return e.list, 0
	}
	if e.pending.IsZero() {
		e.pending = e.fired
	}
	// Armed before it is asked for, since it may fire before the answer is handed on.
	e.armed, e.fired, e.list = true, time.Time{}, nil
	e.turn++
	return nil, e.turn
}

// armed gives the turn of the watch that is outstanding, 0 if there is none.
func (d *Directories) armed(path string) uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	if e := d.get(path); e.armed {
		return e.turn
	}
	return 0
}

// disarm notes that a watch was not set after all.
func (d *Directories) disarm(path string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.get(path).armed = false
}

// store keeps a listing, unless its turn is over: the answer may have been on its way for long.
func (d *Directories) store(path string, turn uint64, names []string, stat *zkclient.Stat) *Listing {
	slices.Sort(names)
	list := &Listing{Names: names}
	if stat != nil {
		list.Stat = *stat
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if e := d.get(path); e.turn == turn {
		e.list = list
	}
	return list
}

// list reads the children and sets a watch on them, or on the znode's creation where there is none. It gives nil when
// the znode was created in between.
func (d *Directories) list(ctx context.Context, path string, turn uint64) (*Listing, error) {
	d.asked()
	// What follows an answer is done even if nobody waits for it any more, since the server has set the watch.
	list, err := Call(ctx, d.session, func(c *zkclient.Conn) (*Listing, error) {
		names, stat, _, err := c.ChildrenW(path)
		if err != nil {
			d.disarm(path)
			return nil, denied(err, "READ", path)
		}
		return d.store(path, turn, names, stat), nil
	})
	if errors.Is(err, zkclient.ErrNoNode) {
		return d.awaitCreation(ctx, path)
	}
	return list, err
}

func (d *Directories) awaitCreation(ctx context.Context, path string) (*Listing, error) {
	_, turn := d.begin(path)
	d.asked()
	return Call(ctx, d.session, func(c *zkclient.Conn) (*Listing, error) {
		exists, _, _, err := c.ExistsW(path)
		if err != nil || exists {
			d.disarm(path)
			return nil, err
		}
		return d.store(path, turn, nil, nil), nil
	})
}

// unchanged gives the listing with the znode's present numbers if it still holds, else nil.
func (d *Directories) unchanged(ctx context.Context, path string, list *Listing) (*Listing, error) {
	d.asked()
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

func (d *Directories) listUnwatched(ctx context.Context, path string, turn uint64) (*Listing, error) {
	d.asked()
	list, err := Call(ctx, d.session, func(c *zkclient.Conn) (*Listing, error) {
		names, stat, err := c.Children(path)
		if err != nil {
			return nil, denied(err, "READ", path)
		}
		return d.store(path, turn, names, stat), nil
	})
	if errors.Is(err, zkclient.ErrNoNode) {
		return d.store(path, turn, nil, nil), nil
	}
	return list, err
}

// beginPoll starts the next poll, before which so many watches had fired. As long as that number stays, so does what
// there is to read.
func (d *Directories) beginPoll(fires uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.poll == 0 || fires != d.fires {
		d.poll++
		d.fires = fires
	}
}

// FirstChange gives when a watch on a path or on any of the paths inside first fired since the last successful poll, zero
// if none did or if not all of that time was watched.
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

// Covers says whether changes of a path's children were watched since the last successful poll.
func (d *Directories) Covers(path string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.get(path).covered
}

// succeeded ends a successful poll: what it has read from now on is watched without a gap, and what it has not read is
// forgotten unless a watch on it is outstanding.
func (d *Directories) succeeded() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for path, e := range d.paths {
		switch {
		case e.poll == d.poll:
			e.covered, e.pending = true, time.Time{}
		case !e.armed:
			delete(d.paths, path)
		default:
			e.covered, e.list = false, nil
		}
	}
}
