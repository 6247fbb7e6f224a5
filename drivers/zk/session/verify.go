package session

import (
	"context"
	"errors"

	zkclient "github.com/go-zookeeper/zk"
)

// A session can be with servers that the members no longer use: an ensemble has moved, the name of a server or a load balancer
// leads to the new one, and the old servers still answer. There is no error then. So a session is compared with one on a new
// connection now and then.

// maxCompared is how many directories are compared.
const maxCompared = 256

// sample returns what was read of some directories, first of those that changed last.
func (d *Directories) sample() map[string]*Listing {
	d.mu.Lock()
	defer d.mu.Unlock()
	found := make(map[string]*Listing)
	add := func(path string) {
		if dir := d.paths[path]; dir != nil && dir.list != nil && len(found) < maxCompared {
			found[path] = dir.list
		}
	}
	for _, path := range d.recent {
		add(path)
	}
	for path := range d.paths {
		add(path)
	}
	return found
}

// Verify makes a session on a new connection to a newly resolved address, and compares what is there with what the reader has
// read. If that differs, it ends the reader's session, so that the next one is made, and returns false. If no session can be
// made until ctx ends, the reader is believed: its server has a leader.
func (d *Dialer) Verify(ctx context.Context, r *Reader) bool {
	s, err := d.Dial(ctx, NewFailures(d.Servers, func(error, bool) {}))
	if err != nil {
		return true
	}
	defer s.Close()
	same, err := sameData(ctx, r, s)
	if err != nil || same {
		return true
	}
	r.Session.end(errOtherData)
	return false
}

// sameData reports whether a new session shows the directories that the reader has read.
func sameData(ctx context.Context, r *Reader, s *Session) (same bool, err error) {
	if err := s.Sync(ctx, "/"); err != nil {
		return false, err
	}
	for path, before := range r.Dirs.sample() {
		found, err := s.statOrZero(ctx, path)
		if err != nil {
			return false, err
		}
		if before.SameChildren(found) {
			continue
		}
		// Perhaps the directory has changed since it was read. Then the reader's server shows that, too.
		if err := r.Session.Sync(ctx, path); err != nil {
			return false, err
		}
		after, err := r.Session.statOrZero(ctx, path)
		if err != nil {
			return false, err
		}
		if !between(before.Stat, found, after) {
			return false, nil
		}
	}
	return true, nil
}

// between reports whether metadata of a znode can have been read between two other reads of it, from the same data.
func between(before, found, after zkclient.Stat) bool {
	if found.Czxid == after.Czxid && found.Pzxid == after.Pzxid {
		return found.Ctime == after.Ctime
	}
	return found.Czxid == before.Czxid && found.Ctime == before.Ctime && before.Pzxid <= found.Pzxid && found.Pzxid <= after.Pzxid
}

// statOrZero reads the metadata of a znode, zero if it does not exist.
func (s *Session) statOrZero(ctx context.Context, path string) (zkclient.Stat, error) {
	stat, err := s.Stat(ctx, path)
	if errors.Is(err, zkclient.ErrNoNode) {
		return zkclient.Stat{}, nil
	}
	return stat, err
}
