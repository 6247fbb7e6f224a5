package mc

import (
	"context"
	"fmt"
	"time"

	"servicegroup_exporter/drivers"
)

// Members reads the roster, and every member's heartbeat from every server. The roster decides which members there are,
// what their attributes are, and who is forced down, which comes first; memcached decides whether a member is up, and has
// its LastHeartbeat.
//
// Ages are by this machine's clock, as in Nova, where they are by the reader's clock; memcached's clock has whole seconds
// only. Therefore the poll has no Now, except after a step of this machine's clock with which the members don't agree.
//
// Members returns an error if the roster can't be read, or if no server can. A member is unknown if a server that would
// have its key can't be read or lost its data recently. It is rejected as "data" if its value can't be read, and as "name"
// if memcached allows no such key.
func (d *Driver) Members(ctx context.Context) (*drivers.Poll, error) {
	ctx, cancel := drivers.WithLife(ctx, d.life)
	defer cancel()
	roster, err := d.roster.Members(ctx)
	if err != nil {
		return nil, drivers.Unavailable(drivers.ReasonOf(err), fmt.Errorf("reading the roster: %w", err))
	}
	b := newBuilder(roster, d.format, d.cfg.DownTime())
	wall, mono := d.clock.read()
	answers := d.readAll(ctx, b.keys)
	if err := d.allFailed(answers); err != nil {
		return nil, err
	}
	all := byMember(answers, len(b.keys))
	now, stepped := d.clock.choose(wall, mono, d.cfg.DownTime(), all)
	if stepped {
		b.poll.Now = now.UTC()
	}
	p := newPollContext(now.UTC(), d.cfg.DownTime(), answers)
	for i, v := range d.verdicts.decide(p, b.names(), all) {
		b.add(i, v, all[i].newest.at)
	}
	b.poll.Backend = backend(answers)
	d.addProblems(ctx, b, p, all)
	return b.poll, nil
}

// allFailed returns an error if no server could be read.
func (d *Driver) allFailed(answers []answer) error {
	errs := make([]error, 0, len(answers))
	for i := range answers {
		if answers[i].err == nil {
			return nil
		}
		errs = append(errs, answers[i].err)
	}
	return d.unavailable("reading members", errs)
}

// backend returns the version of the first server that reports one.
func backend(answers []answer) string {
	for i := range answers {
		if v := answers[i].version; answers[i].err == nil && v != "" {
			return "memcached " + v
		}
	}
	return "memcached"
}

// A builder makes a poll from a roster's poll.
type builder struct {
	poll    *drivers.Poll
	members []drivers.Member // those that can have a key
	keys    []string         // of the members, in the same order
}

// newBuilder takes the members from the roster's poll, without what it says about their being alive.
func newBuilder(roster *drivers.Poll, format keyFormat, downTime time.Duration) *builder {
	n := len(roster.Members) + len(roster.Unknown)
	b := &builder{
		poll: &drivers.Poll{
			DownTime: downTime, RosterIsGiven: true,
			Rejected:         append([]drivers.Rejection(nil), roster.Rejected...),
			Problems:         append([]drivers.Problem(nil), roster.Problems...),
			UnreadableGroups: roster.UnreadableGroups,
		},
		members: make([]drivers.Member, 0, n),
		keys:    make([]string, 0, n),
	}
	for _, part := range [][]drivers.Member{roster.Members, roster.Unknown} {
		for _, m := range part {
			key, err := format.key(m.Key())
			if err != nil {
				b.reject(&m, "name")
				continue
			}
			m.Up, m.LastHeartbeat, m.Died, m.SessionTimeout = false, time.Time{}, time.Time{}, 0
			m.ReportCount, m.HasReportCount = 0, false
			b.members, b.keys = append(b.members, m), append(b.keys, key)
		}
	}
	b.poll.Members = b.members[:0]
	return b
}

// names returns the members' names, in the order of their keys.
func (b *builder) names() []drivers.Key {
	names := make([]drivers.Key, len(b.members))
	for i := range b.members {
		names[i] = b.members[i].Key()
	}
	return names
}

// add adds member i to the poll. It must be called for all members in order, because the poll's members overwrite
// b.members in place. A member that is forced down is down whatever memcached has.
func (b *builder) add(i int, v verdict, heartbeat time.Time) {
	m := &b.members[i]
	forced := m.ForcedDown == drivers.FlagYes
	m.Up = v == up && !forced
	m.LastHeartbeat = heartbeat
	switch {
	case forced || v == up || v == down:
		b.poll.Members = append(b.poll.Members, *m)
	case v == unknown:
		b.poll.Unknown = append(b.poll.Unknown, *m)
	default:
		b.reject(m, "data")
	}
}

func (b *builder) reject(m *drivers.Member, reason string) {
	b.poll.Rejected = append(b.poll.Rejected, drivers.Rejection{Group: m.Group, Name: m.Name, Reason: reason})
}
