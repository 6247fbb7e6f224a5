package zk

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk/layout"
	"servicegroup_exporter/drivers/zk/session"
)

const (
	// pollTries bounds how often a poll is tried because its session was lost.
	pollTries = 3
	// groupsAtOnce bounds the groups that are read at the same time.
	groupsAtOnce = 16
)

// lastPoll is the result of the last poll. The next poll returns the same slices if nothing has changed.
type lastPoll struct {
	groups   []*groupResult
	members  []drivers.Member
	rejected []drivers.Rejection
}

// Members implements drivers.Driver. A poll makes all of its reads in one session. If that is lost, the poll is tried again
// in the next one.
func (d *Driver) Members(ctx context.Context) (*drivers.Poll, error) {
	ctx = drivers.Limited(ctx)
	select {
	case d.polling <- struct{}{}:
		defer func() { <-d.polling }()
	case <-ctx.Done():
		return nil, session.Unavailable("waiting for another poll", drivers.NoAnswer(ctx, ctx.Err()))
	}
	for try := 1; ; try++ {
		r, err := d.reader().Acquire(ctx)
		if err != nil {
			return nil, err
		}
		poll, err := d.readMembers(ctx, r)
		if err == nil && d.verified(ctx, r, poll) {
			d.believed = poll
			return poll, nil
		}
		if err == nil {
			err = r.Session.Err()
		}
		if try == pollTries || !session.Lost(err) || ctx.Err() != nil {
			return nil, session.Unavailable("ZooKeeper at "+r.Session.Server, err)
		}
	}
}

// readMembers makes one poll in one session.
func (d *Driver) readMembers(ctx context.Context, r *session.Reader) (*drivers.Poll, error) {
	if err := d.dialer.Reauthenticate(ctx, r.Session); err != nil {
		return nil, session.Unavailable("authenticating with another password", err)
	}
	if err := r.BeginPoll(ctx, d.paths.prefix()); err != nil {
		return nil, session.Unavailable("waiting until the server has caught up with the leader", err)
	}
	read := d.readGroups
	if d.tree != nil {
		read = d.tree.Read
	}
	poll, err := read(ctx, r)
	if err != nil {
		return nil, err
	}
	if d.tree != nil && len(poll.Members)+len(poll.Unknown)+len(poll.Problems) == 0 {
		if err := d.addAbsentRoot(ctx, r, poll); err != nil {
			return nil, err
		}
	}
	poll.DownTime, poll.Backend = d.config.memberTimeout(), r.Version
	r.EndPoll()
	return poll, nil
}

// readGroups reads all groups of this program's own layouts.
func (d *Driver) readGroups(ctx context.Context, reader *session.Reader) (*drivers.Poll, error) {
	r := &groupReader{Reader: reader, paths: d.paths, layout: d.config.Layout, logger: d.logger}
	names, err := r.groupNames(ctx, d.config.Groups)
	if err != nil {
		return nil, err
	}
	r.BeginNodes()
	groups := d.groupsNamed(names)
	read := func(ctx context.Context, g *group) error { return g.read(ctx, r) }
	if err := session.Parallel(ctx, groupsAtOnce, groups, read); err != nil {
		return nil, err
	}
	poll := &drivers.Poll{}
	if groups, err = withoutDenied(groups, poll); err != nil {
		return nil, err
	}
	d.joinResults(groups)
	poll.Members, poll.Rejected = d.last.members, d.last.rejected
	if !r.Unchanged() {
		poll.Changed = changes(r, groups)
		r.EndNodes()
	}
	return poll, d.addProblems(ctx, r, groups, poll)
}

// withoutDenied returns the groups that could be read, and adds the others to the poll. If none could be read, it returns why.
func withoutDenied(groups []*group, poll *drivers.Poll) ([]*group, error) {
	readable := make([]*group, 0, len(groups))
	for _, g := range groups {
		if g.denied == nil {
			readable = append(readable, g)
			continue
		}
		poll.UnreadableGroups = append(poll.UnreadableGroups, g.name)
		poll.Problems = append(poll.Problems, layout.Denied(g.name, g.denied))
	}
	if len(readable) == 0 && len(groups) > 0 {
		return nil, groups[0].denied
	}
	return readable, nil
}

// groupsNamed returns the groups with these names, with what is known of them, and forgets all others.
func (d *Driver) groupsNamed(names []string) []*group {
	groups := make([]*group, len(names))
	known := make(map[string]*group, len(names))
	for i, name := range names {
		g := d.groups[name]
		if g == nil {
			g = &group{name: name}
		}
		groups[i], known[name] = g, g
	}
	d.groups = known
	return groups
}

// joinResults joins the members of all groups, if any group has changed.
func (d *Driver) joinResults(groups []*group) {
	results := make([]*groupResult, len(groups))
	count := 0
	for i, g := range groups {
		results[i] = g.result
		count += len(g.result.members)
	}
	if slices.Equal(results, d.last.groups) {
		return
	}
	d.last = lastPoll{groups: results, members: make([]drivers.Member, 0, count)}
	for _, result := range results {
		d.last.members = append(d.last.members, result.members...)
		d.last.rejected = append(d.last.rejected, result.rejected...)
	}
}

// changes returns the groups in which a member came or went since the last poll, and when that was first seen. It does not
// use the watches of the roster, which also fire when a dead member is removed.
func changes(r *groupReader, groups []*group) map[string]time.Time {
	all := make(map[string]time.Time)
	for _, g := range groups {
		if first := r.Dirs.FirstChange(r.paths.group(g.name), g.result.watched); !first.IsZero() {
			all[g.name] = first
		}
	}
	return all
}

// A groupReader reads groups of this program's own layouts in one session.
type groupReader struct {
	*session.Reader
	paths  paths
	layout string
	logger *slog.Logger
	found  bool // the groups were listed, and their parent exists
}

// includes reports whether the configured layout has members of the kind.
func (r *groupReader) includes(k kind) bool {
	switch k {
	case kindFlat:
		return r.layout != LayoutNested
	case kindNested:
		return r.layout != LayoutFlat
	default:
		return false
	}
}

// groupNames returns the configured groups, or all groups that exist, sorted. A name with a dot first is never a group.
func (r *groupReader) groupNames(ctx context.Context, configured []string) ([]string, error) {
	names := slices.Clone(configured)
	if len(configured) == 0 {
		for _, path := range []string{r.paths.prefix(), r.paths.roster()} {
			list, err := r.Dirs.Read(ctx, path)
			if err != nil {
				return nil, session.Unavailable("reading the groups in "+path, err)
			}
			names = append(names, list.Names...)
			r.found = r.found || list.Exists()
		}
		names = slices.DeleteFunc(names, func(name string) bool { return strings.HasPrefix(name, ".") })
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
