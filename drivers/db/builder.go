package db

import (
	"slices"
	"time"

	"servicegroup_exporter/drivers"
)

// A builder makes a poll of rows.
type builder struct {
	poll   *drivers.Poll
	silent []string
	seen   map[drivers.Key]int // where in poll.Members a member is

	// last are the members of the poll before. The rows of a table come in the same order nearly always, so that a
	// text that has not changed is found at the same place, and shared.
	last []drivers.Member
	zero drivers.Member
}

func newBuilder(last *drivers.Poll, downTime time.Duration, silent []string) *builder {
	b := &builder{poll: &drivers.Poll{DownTime: downTime}, silent: silent}
	if last != nil {
		b.last = last.Members
		b.poll.Backend = last.Backend
	}
	b.poll.Members = make([]drivers.Member, 0, len(b.last))
	b.seen = make(map[drivers.Key]int, len(b.last))
	return b
}

// prepare puts the texts into the row that are likely to come.
func (b *builder) prepare(r *row) {
	m := &b.zero
	if i := len(b.poll.Members); i < len(b.last) {
		m = &b.last[i]
	} else if i > 0 {
		m = &b.poll.Members[i-1]
	}
	r.server.s = b.poll.Backend
	r.group.s, r.name.s, r.binary.s = m.Group, m.Name, m.Binary
	r.reason.s, r.version.s, r.uuid.s = m.DisabledReason, m.Version, m.UUID
}

// add takes a row into the poll.
func (b *builder) add(r *row) {
	if b.poll.Now.IsZero() {
		b.poll.Now = time.UnixMicro(r.clock.n).UTC()
		b.poll.Backend = r.server.s
	}
	if !r.deleted.ok || slices.Contains(b.silent, r.binary.s) {
		return
	}
	switch {
	case r.group.s == "" || r.name.s == "" || r.group.odd || r.name.odd:
		b.reject(r.group.s, r.name.s, "name")
	case !r.beat.ok || r.beat.odd || r.disabled.odd || r.forced.odd:
		b.reject(r.group.s, r.name.s, "data")
	default:
		b.keepNewest(b.member(r))
	}
}

func (b *builder) reject(group, name, reason string) {
	b.poll.Rejected = append(b.poll.Rejected, drivers.Rejection{Group: group, Name: name, Reason: reason})
}

// keepNewest appends the member, or lets it take the place of one of the same name whose heartbeat is older.
func (b *builder) keepNewest(m drivers.Member) {
	i, found := b.seen[m.Key()]
	if !found {
		b.seen[m.Key()] = len(b.poll.Members)
		b.poll.Members = append(b.poll.Members, m)
		return
	}
	b.reject(m.Group, m.Name, "duplicate")
	if m.LastHeartbeat.After(b.poll.Members[i].LastHeartbeat) {
		b.poll.Members[i] = m
	}
}

// member gives the verdict as Nova does: forced_down first, then abs(elapsed) <= service_down_time, where a heartbeat
// from the future counts like one as far in the past.
func (b *builder) member(r *row) drivers.Member {
	beat := time.UnixMicro(r.beat.n).UTC()
	m := drivers.Member{
		Group: r.group.s, Name: r.name.s, Binary: r.binary.s,
		Up:            b.poll.Now.Sub(beat).Abs() <= b.poll.DownTime,
		LastHeartbeat: beat,
		Rostered:      true,
		Enabled:       drivers.FlagOf(r.disabled.n == 0),
		UUID:          r.uuid.s, Version: r.version.s, DisabledReason: r.reason.s,
	}
	if r.forced.ok {
		m.ForcedDown = drivers.FlagOf(r.forced.n != 0)
		m.Up = m.Up && r.forced.n == 0
	}
	return m
}
