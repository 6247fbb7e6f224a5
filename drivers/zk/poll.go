package zk

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk/session"
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
		return nil, session.Unavailable("waiting for another poll", ctx.Err())
	}
	for try := 1; ; try++ {
		r, err := d.reader().Acquire(ctx)
		if err != nil {
			return nil, err
		}
		poll, err := d.poll(ctx, r)
		if err == nil {
			return poll, nil
		}
		if try == pollTries || !session.Lost(err) || ctx.Err() != nil {
			return nil, session.Unavailable("ZooKeeper at "+r.Session.Server, err)
		}
	}
}

// poll reads all members. The server is made to catch up first, so that the poll shows all that was acknowledged before
// it began, and so that it fails where there is no quorum.
func (d *Driver) poll(ctx context.Context, r *session.Reader) (*drivers.Poll, error) {
	if err := d.dialer.Reauthenticate(ctx, r.Session); err != nil {
		return nil, session.Unavailable("authenticating with another password", err)
	}
	if err := r.BeginPoll(ctx, d.paths.prefix()); err != nil {
		return nil, session.Unavailable("waiting for it to catch up with the leader", err)
	}
	read := d.pollGroups
	if d.tree != nil {
		read = d.tree.Poll
	}
	poll, err := read(ctx, r)
	if err != nil {
		return nil, err
	}
	poll.DownTime, poll.Backend = d.config.memberTimeout(), r.Version
	r.EndPoll()
	return poll, nil
}

// pollGroups reads all groups of this program's own layouts.
func (d *Driver) pollGroups(ctx context.Context, reader *session.Reader) (*drivers.Poll, error) {
	r := &groupReader{Reader: reader, paths: d.paths, layout: d.config.Layout, logger: d.logger}
	names, err := r.groupNames(ctx, d.config.Groups)
	if err != nil {
		return nil, err
	}
	r.BeginNodes()
	groups := d.remembered(names)
	read := func(ctx context.Context, g *group) error { return g.poll(ctx, r) }
	if err := session.Parallel(ctx, groupsAtOnce, groups, read); err != nil {
		return nil, err
	}
	d.merge(groups)
	poll := &drivers.Poll{Members: d.last.members, Rejected: d.last.rejected}
	if !r.Unchanged() {
		poll.Changed = changes(r, groups)
		r.Nodes.EndPoll()
	}
	return poll, nil
}

// A groupReader reads groups of this program's own layouts.
type groupReader struct {
	*session.Reader
	paths  paths
	layout string
	logger *slog.Logger
}

// counts says whether the configured layout has members of that kind.
func (r *groupReader) counts(k kind) bool {
	switch k {
	case kindFlat:
		return r.layout != LayoutNested
	case kindNested:
		return r.layout != LayoutFlat
	default:
		return false
	}
}

// groupNames gives the configured groups, or all that there are, sorted.
func (r *groupReader) groupNames(ctx context.Context, configured []string) ([]string, error) {
	names := slices.Clone(configured)
	if len(configured) == 0 {
		for _, path := range []string{r.paths.prefix(), r.paths.roster()} {
			list, err := r.Dirs.Read(ctx, path)
			if err != nil {
				return nil, session.Unavailable("reading the groups in "+path, err)
			}
			names = append(names, list.Names...)
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
func changes(r *groupReader, groups []*group) map[string]time.Time {
	all := make(map[string]time.Time)
	for _, g := range groups {
		if first := r.Dirs.FirstChange(r.paths.group(g.name), g.result.watched); !first.IsZero() {
			all[g.name] = first
		}
	}
	return all
}
