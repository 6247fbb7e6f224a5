package mc

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/bradfitz/gomemcache/memcache"

	"servicegroup_exporter/drivers"
)

// minLeftNote is the shortest time for which the note about a removed member is kept.
const minLeftNote = time.Minute

// Join sends the first heartbeat and then one every report interval. Every server gets every heartbeat, so that every
// reader finds it, however its client spreads keys over servers; the first heartbeat must reach at least one server. As
// with Nova's own services several processes may have the same name.
//
// The roster is not written. A name that is not in the roster is refused with an error that wraps [drivers.ErrNoMember],
// because no reader would see that member. If the roster can't be read, the member joins.
func (d *Driver) Join(ctx context.Context, req drivers.JoinRequest) (drivers.Membership, error) {
	member := drivers.Key{Group: req.Group, Name: req.Name}
	doing := fmt.Sprintf("joining group %q as %q", req.Group, req.Name)
	key, err := d.check(member)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	ctx, cancel := drivers.WithLife(ctx, d.life)
	defer cancel()
	logger := d.logger.With("group", req.Group, "member", req.Name)
	switch listed, err := d.listed(ctx, member); {
	case err != nil:
		logger.Warn("A member joins although the roster can't be read; readers ignore it if it is not in the roster", "err", err)
	case !listed:
		return nil, fmt.Errorf("group %q, member %q is not in the roster, so no reader would see it; add it there first: %w",
			req.Group, req.Name, drivers.ErrNoMember)
	}
	m := &joinedMember{driver: d, member: member, key: key, announced: make([]bool, len(d.servers)), logger: logger}
	if _, errs := m.write(ctx); len(errs) == len(d.servers) {
		return nil, d.unavailable(doing, errs)
	}
	membership, err := d.keeper.Keep(m, logger)
	if err != nil {
		return nil, d.unavailable(doing, []error{err})
	}
	return membership, nil
}

// check returns the key of a member. It refuses names that memcached can't store unchanged.
func (d *Driver) check(member drivers.Key) (string, error) {
	for _, f := range []struct{ what, value string }{{"group", member.Group}, {"name", member.Name}} {
		switch {
		case f.value == "":
			return "", fmt.Errorf("the %s is empty", f.what)
		case !utf8.ValidString(f.value) || strings.ContainsRune(f.value, 0):
			return "", fmt.Errorf("the %s is not UTF-8 text", f.what)
		}
	}
	return d.format.key(member)
}

// listed reports whether the member is in the roster.
func (d *Driver) listed(ctx context.Context, member drivers.Key) (bool, error) {
	_, err := drivers.IsUp(ctx, d.roster, member.Group, member.Name)
	if errors.Is(err, drivers.ErrNoMember) {
		return false, nil
	}
	return err == nil, err
}

// Leave deletes the member's heartbeats, and leaves a note that makes processes which joined through this driver stop.
// Nova's own services continue to write. The roster is not written: a member that stays in it is reported as down.
func (d *Driver) Leave(ctx context.Context, group, name string) error {
	member := drivers.Key{Group: group, Name: name}
	key, err := d.check(member)
	if err != nil {
		return fmt.Errorf("group %q, member %q: %w: %w", group, name, err, drivers.ErrNoMember)
	}
	ctx, cancel := drivers.WithLife(ctx, d.life)
	defer cancel()
	var found atomic.Bool
	errs := d.onAll(ctx, func(_ int, c *client) error {
		item, err := c.get(key)
		if err != nil || item == nil {
			return err
		}
		found.Store(true)
		return errors.Join(c.Set(d.leftNote(member)), c.remove(key))
	})
	switch {
	case len(errs) > 0 && found.Load():
		return d.unavailable(fmt.Sprintf("removing %q from group %q succeeded on some servers only", name, group), errs)
	case len(errs) > 0:
		return d.unavailable(fmt.Sprintf("removing %q from group %q", name, group), errs)
	case !found.Load():
		return fmt.Errorf("group %q, member %q has no heartbeat in memcached: %w", group, name, drivers.ErrNoMember)
	}
	if listed, err := d.listed(ctx, member); err == nil && listed {
		d.logger.Warn("A removed member is still in the roster and is reported as down; remove it from the roster too",
			"group", group, "member", name)
	}
	return nil
}

// leftNote returns the note that tells processes that their member was removed. It is kept for three report intervals at
// least, so that they find it.
func (d *Driver) leftNote(member drivers.Key) *memcache.Item {
	ttl := max(minLeftNote, 3*time.Duration(d.cfg.ReportInterval))
	return &memcache.Item{Key: leftKey(member), Value: []byte("left"), Expiration: expiry(ttl)}
}
