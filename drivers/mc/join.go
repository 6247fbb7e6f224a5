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

// minLeftFor is how long those who were removed are told so, at least.
const minLeftFor = time.Minute

// Join sends the first heartbeat and goes on at the report interval. Every server gets every heartbeat, so that whoever
// reads finds it, however its client shares keys among servers; the first one must reach at least one. As with Nova's own
// services several processes may be one member: none is ever refused for another.
//
// The roster is not written: a name that it does not have is refused with an error that wraps [drivers.ErrNoMember], since
// nobody would see that member. A roster that can't be read now is no reason to refuse.
func (d *Driver) Join(ctx context.Context, req drivers.JoinRequest) (drivers.Membership, error) {
	member := drivers.Key{Group: req.Group, Name: req.Name}
	key, err := d.check(member)
	if err != nil {
		return nil, fmt.Errorf("joining group %q as %q: %w", req.Group, req.Name, err)
	}
	ctx, cancel := d.bound(ctx)
	defer cancel()
	switch listed, err := d.listed(ctx, member); {
	case err != nil:
		d.logger.Warn("a member joins although the roster can't be read: whether anybody sees it is not known",
			"group", req.Group, "member", req.Name, "err", err)
	case !listed:
		return nil, fmt.Errorf("group %q, member %q is not in the roster, so that nobody would see it: add it there first: %w",
			req.Group, req.Name, drivers.ErrNoMember)
	}
	logger := d.logger.With("group", req.Group, "member", req.Name)
	p := &presence{driver: d, member: member, key: key, entered: make([]bool, len(d.servers)), logger: logger}
	doing := fmt.Sprintf("joining group %q as %q", req.Group, req.Name)
	if _, errs := p.write(ctx); len(errs) == len(d.servers) {
		return nil, d.unavailable(doing, errs)
	}
	m, err := d.keeper.Keep(p, logger)
	if err != nil {
		return nil, d.unavailable(doing, []error{err})
	}
	return m, nil
}

// check refuses names that can't be kept as they are, and gives the key of all others.
func (d *Driver) check(member drivers.Key) (string, error) {
	for _, f := range []struct{ what, value string }{{"group", member.Group}, {"name", member.Name}} {
		switch {
		case f.value == "":
			return "", fmt.Errorf("the %s is empty", f.what)
		case !utf8.ValidString(f.value) || strings.ContainsRune(f.value, 0):
			return "", fmt.Errorf("the %s is not UTF-8 text", f.what)
		}
	}
	return d.how.key(member)
}

// listed says whether the member is in the roster.
func (d *Driver) listed(ctx context.Context, member drivers.Key) (bool, error) {
	_, err := drivers.IsUp(ctx, d.roster, member.Group, member.Name)
	if errors.Is(err, drivers.ErrNoMember) {
		return false, nil
	}
	return err == nil, err
}

// Leave deletes the member's heartbeats, and tells processes that joined as it to stop. Those of Nova write on. The
// roster is not written: a member that is still in it is reported as dead when this is all that happened to it.
func (d *Driver) Leave(ctx context.Context, group, name string) error {
	member := drivers.Key{Group: group, Name: name}
	key, err := d.check(member)
	if err != nil {
		return fmt.Errorf("group %q, member %q: %w: %w", group, name, err, drivers.ErrNoMember)
	}
	ctx, cancel := d.bound(ctx)
	defer cancel()
	var found atomic.Bool
	errs := d.each(ctx, func(_ int, l *link) error {
		item, err := l.get(key)
		if err != nil || item == nil {
			return err
		}
		found.Store(true)
		return errors.Join(l.Set(d.leftNote(member)), l.remove(key))
	})
	switch {
	case len(errs) > 0 && found.Load():
		return d.unavailable(fmt.Sprintf("removing %q from group %q succeeded in part", name, group), errs)
	case len(errs) > 0:
		return d.unavailable(fmt.Sprintf("removing %q from group %q", name, group), errs)
	case !found.Load():
		return fmt.Errorf("group %q, member %q has no heartbeat in memcached: %w", group, name, drivers.ErrNoMember)
	}
	if listed, err := d.listed(ctx, member); err == nil && listed {
		d.logger.Warn("a member was removed that is still in the roster: it will look dead until it is removed there",
			"group", group, "member", name)
	}
	return nil
}

// leftNote tells the living that they were removed. It is there for longer than they need to find it.
func (d *Driver) leftNote(member drivers.Key) *memcache.Item {
	lasts := max(minLeftFor, 3*time.Duration(d.cfg.ReportInterval))
	return &memcache.Item{Key: leftKey(member), Value: []byte("left"), Expiration: expiry(lasts)}
}
