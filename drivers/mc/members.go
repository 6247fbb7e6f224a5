package mc

import (
	"context"
	"fmt"
	"time"

	"servicegroup_exporter/drivers"
)

// Members reads the roster, and every member's heartbeat from every server. Whether a member is in the group, and what it
// is, is the roster's word, forced_down first; whether it is up, and its LastHeartbeat, is memcached's.
//
// Ages are by this machine's clock, as they are by the reader's in Nova; memcached's own has whole seconds only. The poll
// has no clock therefore, unless this machine's was set and the members don't agree with it. It fails if the roster
// can't be read, or if no server can. A member is unknown if a server that would know is out of reach or has just been
// emptied. It is rejected as "data" if what it wrote can't be read, and as "name" if memcached allows no such key.
func (d *Driver) Members(ctx context.Context) (*drivers.Poll, error) {
	ctx, cancel := d.bound(ctx)
	defer cancel()
	listed, err := d.roster.Members(ctx)
	if err != nil {
		return nil, drivers.Unavailable(drivers.ReasonOf(err), fmt.Errorf("reading the roster: %w", err))
	}
	b := newBuilder(listed, d.how, d.cfg.downTime())
	wall, mono := d.clock.read()
	answers := d.askAll(ctx, b.keys)
	if err := d.silence(answers); err != nil {
		return nil, err
	}
	testimonies := hear(answers, len(b.keys))
	now, other := d.clock.choose(wall, mono, d.cfg.downTime(), testimonies)
	if other {
		b.poll.Now = now.UTC()
	}
	h := newHearing(now.UTC(), d.cfg.downTime(), answers)
	for i, v := range d.proofs.judgeAll(h, b.names(), testimonies) {
		b.add(i, v, testimonies[i].newest.at)
	}
	b.poll.Backend = backend(answers)
	return b.poll, nil
}

// silence is an error if no server answered.
func (d *Driver) silence(answers []answer) error {
	errs := make([]error, 0, len(answers))
	for i := range answers {
		if answers[i].err == nil {
			return nil
		}
		errs = append(errs, answers[i].err)
	}
	return d.unavailable("reading members", errs)
}

// backend names the first server that says its version.
func backend(answers []answer) string {
	for i := range answers {
		if v := answers[i].version; answers[i].err == nil && v != "" {
			return "memcached " + v
		}
	}
	return "memcached"
}

// A builder makes a poll of a roster's.
type builder struct {
	poll    *drivers.Poll
	members []drivers.Member // who can have a heartbeat
	keys    []string         // where
}

// newBuilder takes from the roster's own poll who should be there. What it says of life is of no interest.
func newBuilder(listed *drivers.Poll, how scheme, downTime time.Duration) *builder {
	n := len(listed.Members) + len(listed.Unknown)
	b := &builder{
		poll: &drivers.Poll{
			DownTime: downTime, RosterIsGiven: true,
			Rejected: append([]drivers.Rejection(nil), listed.Rejected...),
		},
		members: make([]drivers.Member, 0, n),
		keys:    make([]string, 0, n),
	}
	for _, part := range [][]drivers.Member{listed.Members, listed.Unknown} {
		for _, m := range part {
			key, err := how.key(m.Key())
			if err != nil {
				b.reject(&m, "name")
				continue
			}
			m.Up, m.LastHeartbeat, m.Died, m.SessionTimeout = false, time.Time{}, time.Time{}, 0
			b.members, b.keys = append(b.members, m), append(b.keys, key)
		}
	}
	b.poll.Members = b.members[:0]
	return b
}

// names identifies the members, in the order of their keys.
func (b *builder) names() []drivers.Key {
	names := make([]drivers.Key, len(b.members))
	for i := range b.members {
		names[i] = b.members[i].Key()
	}
	return names
}

// add puts a member where it belongs, one after the other. The poll's members take the places of those before them. An
// operator's word does not depend on what memcached knows.
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
