package db

import (
	"slices"
	"time"

	"servicegroup_exporter/drivers"
)

// A builder makes a poll of rows.
type builder struct {
	poll   *drivers.Poll
	layout *layout

	// last are the members of the poll before. The rows of a table nearly always come in the same order, so that a
	// text that has not changed is found at the same place, and shared.
	last []drivers.Member
	zero drivers.Member

	// seen is where in poll.Members a member is. It is nil as long as every member stands where it stood in last,
	// where none stands twice.
	seen map[drivers.Key]int
}

func newBuilder(last *drivers.Poll, downTime time.Duration, l *layout) *builder {
	b := &builder{poll: &drivers.Poll{DownTime: downTime, Backend: l.version}, layout: l}
	if last != nil {
		b.last = last.Members
	}
	b.poll.Members = make([]drivers.Member, 0, len(b.last))
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
	r.group.s, r.name.s, r.binary.s, r.zone.s = m.Group, m.Name, m.Binary, m.Zone
	r.reason.s, r.version.s, r.uuid.s = m.DisabledReason, m.Version, m.UUID
}

// add takes a row into the poll.
func (b *builder) add(r *row) {
	if b.poll.Now.IsZero() {
		b.poll.Now = time.UnixMicro(r.clock.n).UTC()
	}
	if !r.key.ok || slices.Contains(b.layout.schema.silent, r.binary.s) {
		return
	}
	if b.layout.schema.groupName != "" {
		r.group.s = b.layout.schema.groupName
	}
	switch {
	case r.group.s == "" || r.name.s == "" || r.group.odd || r.name.odd:
		b.reject(r.group.s, r.name.s, "name")
	case r.isOdd():
		b.reject(r.group.s, r.name.s, "data")
	default:
		b.keepNewest(b.member(r))
	}
}

func (b *builder) reject(group, name, reason string) {
	b.poll.Rejected = append(b.poll.Rejected, drivers.Rejection{Group: group, Name: name, Reason: reason})
}

// keepNewest appends the member, or lets it take the place of one of the same name whose heartbeat is older. Where rows
// are the processes of a member, one that is up is as good as any that is not.
func (b *builder) keepNewest(m drivers.Member) {
	i, found := b.find(m.Key())
	if !found {
		b.poll.Members = append(b.poll.Members, m)
		return
	}
	old := &b.poll.Members[i]
	if !b.layout.schema.manyRows {
		b.reject(m.Group, m.Name, "duplicate")
	} else if m.Up != old.Up {
		if m.Up {
			*old = m
		}
		return
	}
	if m.LastHeartbeat.After(old.LastHeartbeat) {
		*old = m
	}
}

// find says where the poll has a member of this name already. One that it does not have will be the next.
func (b *builder) find(key drivers.Key) (i int, found bool) {
	next := len(b.poll.Members)
	if b.seen == nil {
		if next < len(b.last) && b.last[next].Key() == key {
			return 0, false
		}
		b.seen = make(map[drivers.Key]int, len(b.last))
		for i := range b.poll.Members {
			b.seen[b.poll.Members[i].Key()] = i
		}
	}
	if i, found = b.seen[key]; !found {
		b.seen[key] = next
	}
	return i, found
}
