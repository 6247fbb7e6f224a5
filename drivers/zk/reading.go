package zk

import (
	"context"
	"log/slog"
	"sync/atomic"

	zkclient "github.com/go-zookeeper/zk"
)

// A reading is a session that members are read in. All reads of a poll come from one.
type reading struct {
	session *session
	dirs    *dirs
	nodes   *nodes
	paths   paths
	layout  string
	backend string // the server's version
	logger  *slog.Logger
	asked   func()        // counts a round trip
	changed func()        // says that a watch fired; must not block
	fires   atomic.Uint64 // watches that have fired

	// How many had fired when the poll under way began, and when the last one began that succeeded.
	polled, done uint64
}

// use gives the reading its session.
func (r *reading) use(s *session) {
	r.session, r.dirs.session, r.nodes.session = s, s, s
}

// fire is called when a watch on a path fires, be it on its children or on itself.
func (r *reading) fire(ev zkclient.Event) {
	r.fires.Add(1)
	if ev.Type != zkclient.EventNodeChildrenChanged {
		r.nodes.fire(ev.Path)
	}
	if ev.Type != zkclient.EventNodeDataChanged {
		r.dirs.fire(ev.Path)
	}
	r.changed()
}

// inside gives the children and the data of a path if both are known and watched, else nil.
func (r *reading) inside(path string) (*listing, *node) {
	list, n := r.dirs.watched(path), r.nodes.watched(path)
	if list == nil || n == nil {
		return nil, nil
	}
	return list, n
}

// beginPoll starts a poll.
func (r *reading) beginPoll() {
	r.polled = r.fires.Load()
	r.dirs.beginPoll(r.polled)
}

// quiet says whether nothing has happened since the last successful poll began.
func (r *reading) quiet() bool { return r.done > 0 && r.fires.Load() == r.done }

// succeeded ends a successful poll. After a quiet one the books are as they were.
func (r *reading) succeeded() {
	if !r.quiet() {
		r.dirs.succeeded()
	}
	r.done = r.polled
}

// counts says whether the configured layout has members of that kind.
func (r *reading) counts(k kind) bool {
	switch k {
	case kindFlat:
		return r.layout != LayoutNested
	case kindNested:
		return r.layout != LayoutFlat
	default:
		return false
	}
}

// sync waits until the server has caught up with the leader. Without it, a follower that has lost the leader would show
// what was true some time ago until it notices; with it, the read waits, and fails if there is no leader to ask.
func (r *reading) sync(ctx context.Context) error {
	r.asked()
	_, err := call(ctx, r.session, func(c *zkclient.Conn) (string, error) { return c.Sync(r.paths.prefix()) })
	return err
}

// get reads a znode's value.
func (r *reading) get(ctx context.Context, path string) ([]byte, error) {
	r.asked()
	return call(ctx, r.session, func(c *zkclient.Conn) ([]byte, error) {
		data, _, err := c.Get(path)
		return data, denied(err, "READ", path)
	})
}

// stat reads a znode's numbers. A znode that is not there is an error, as for get.
func (r *reading) stat(ctx context.Context, path string) (zkclient.Stat, error) {
	r.asked()
	return statOf(ctx, r.session, path)
}

func statOf(ctx context.Context, s *session, path string) (zkclient.Stat, error) {
	return call(ctx, s, func(c *zkclient.Conn) (zkclient.Stat, error) {
		exists, stat, err := c.Exists(path)
		if err != nil {
			return zkclient.Stat{}, err
		}
		if !exists {
			return zkclient.Stat{}, zkclient.ErrNoNode
		}
		return *stat, nil
	})
}
