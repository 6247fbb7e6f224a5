package zk

import (
	"context"
	"slices"
	"strings"
	"time"

	"servicegroup_exporter/drivers"
)

const (
	// pollTries bounds how often a poll begins anew because its session was lost.
	pollTries = 3
	// groupsAtOnce bounds the groups that are read at a time.
	groupsAtOnce = 16
)

// lastPoll is what the last poll gave, to be given again while nothing changes.
type lastPoll struct {
	results  []*groupResult
	members  []drivers.Member
	rejected []drivers.Rejection
}

// Members implements drivers.Driver. All of a poll is read in one session; when that is lost, the poll begins anew with
// the next one.
func (d *Driver) Members(ctx context.Context) (*drivers.Poll, error) {
	select {
	case d.polling <- struct{}{}:
		defer func() { <-d.polling }()
	case <-ctx.Done():
		return nil, unavailable("waiting for another poll", ctx.Err())
	}
	for try := 1; ; try++ {
		r, err := d.reader().acquire(ctx)
		if err != nil {
			return nil, err
		}
		poll, err := d.poll(ctx, r)
		if err == nil {
			return poll, nil
		}
		if try == pollTries || !lost(err) || ctx.Err() != nil {
			return nil, unavailable("ZooKeeper at "+r.session.server, err)
		}
	}
}

// poll reads all members. The server is made to catch up first, so that the poll shows all that was acknowledged before
// it began, and so that it fails where there is no quorum.
func (d *Driver) poll(ctx context.Context, r *reading) (*drivers.Poll, error) {
	if err := d.dialer.reauthenticate(ctx, r.session); err != nil {
		return nil, unavailable("authenticating with another password", err)
	}
	if err := r.sync(ctx); err != nil {
		return nil, unavailable("waiting for it to catch up with the leader", err)
	}
	r.beginPoll()
	read := d.pollGroups
	if d.tree != nil {
		read = d.tree.poll
	}
	poll, err := read(ctx, r)
	if err != nil {
		return nil, err
	}
	poll.DownTime, poll.Backend = d.config.memberTimeout(), r.backend
	r.succeeded()
	return poll, nil
}

// pollGroups reads all groups of this program's own layouts.
func (d *Driver) pollGroups(ctx context.Context, r *reading) (*drivers.Poll, error) {
	names, err := r.groupNames(ctx, d.config.Groups)
	if err != nil {
		return nil, err
	}
	r.nodes.beginPoll(r.polled)
	groups := d.remembered(names)
	if err := each(ctx, groupsAtOnce, groups, func(ctx context.Context, g *group) error { return g.poll(ctx, r) }); err != nil {
		return nil, err
	}
	d.merge(groups)
	poll := &drivers.Poll{Members: d.last.members, Rejected: d.last.rejected}
	if !r.quiet() {
		poll.Changed = changes(r, groups)
		r.nodes.succeeded()
	}
	return poll, nil
}

// groupNames gives the configured groups, or all that there are, sorted.
func (r *reading) groupNames(ctx context.Context, configured []string) ([]string, error) {
	names := slices.Clone(configured)
	if len(configured) == 0 {
		for _, path := range []string{r.paths.prefix(), r.paths.roster()} {
			list, err := r.dirs.read(ctx, path)
			if err != nil {
				return nil, unavailable("reading the groups in "+path, err)
			}
			names = append(names, list.names...)
		}
		names = slices.DeleteFunc(names, func(name string) bool { return strings.HasPrefix(name, ".") })
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// remembered gives what is known of the groups, and forgets all others.
func (d *Driver) remembered(names []string) []*group {
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

// merge puts the groups' members together if any of them has changed.
func (d *Driver) merge(groups []*group) {
	results := make([]*groupResult, len(groups))
	count := 0
	for i, g := range groups {
		results[i] = g.result
		count += len(g.result.members)
	}
	if slices.Equal(results, d.last.results) {
		return
	}
	d.last = lastPoll{results: results, members: make([]drivers.Member, 0, count)}
	for _, result := range results {
		d.last.members = append(d.last.members, result.members...)
		d.last.rejected = append(d.last.rejected, result.rejected...)
	}
}

// changes gives the groups whose members came or went since the last poll, and when that was first seen. The roster's own
// watches are left out: they fire when somebody leaves who was dead already.
func changes(r *reading, groups []*group) map[string]time.Time {
	all := make(map[string]time.Time)
	for _, g := range groups {
		if first := r.dirs.firstChange(r.paths.group(g.name), g.result.watched); !first.IsZero() {
			all[g.name] = first
		}
	}
	return all
}
