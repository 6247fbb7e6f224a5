package db

import (
	"slices"
	"time"

	"servicegroup_exporter/drivers"
)

// A builder makes a poll from rows.
type builder struct {
	poll   *drivers.Poll
	layout *layout

	// last is the members of the poll before. The rows of a table nearly always come in the same order: a text that has
	// not changed is found at the same index, and its memory is shared.
	last []drivers.Member
	zero drivers.Member

	// seen is the index of each member in poll.Members. It is nil as long as the members come in the same order as in last,
	// which has no duplicates.
	seen map[drivers.Key]int

	owner owner
}

func newBuilder(last *drivers.Poll, downTime time.Duration, l *layout) *builder {
	b := &builder{poll: &drivers.Poll{DownTime: downTime, Backend: l.version}, layout: l}
	if last != nil {
		b.last = last.Members
	}
	b.poll.Members = make([]drivers.Member, 0, len(b.last))
	return b
}

// prepare fills the row with the texts of the poll before, which the next row probably has too.
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

// add adds a row to the poll.
func (b *builder) add(r *row) {
	if b.poll.Now.IsZero() {
		b.poll.Now = time.UnixMicro(r.clock.n).UTC()
	}
	b.owner.note(b.layout.schema, r)
	if !r.key.ok || slices.Contains(b.layout.schema.withoutHeartbeat, r.binary.s) {
		return
	}
	if b.layout.schema.groupName != "" {
		r.group.s = b.layout.schema.groupName
	}
	switch {
	case r.group.s == "" || r.name.s == "" || r.group.invalid || r.name.invalid:
		b.reject(r.group.s, r.name.s, "name")
	case r.hasInvalid():
		b.reject(r.group.s, r.name.s, "data")
	default:
		b.keepNewest(b.member(r))
	}
}

func (b *builder) reject(group, name, reason string) {
	b.poll.Rejected = append(b.poll.Rejected, drivers.Rejection{Group: group, Name: name, Reason: reason})
}

// keepNewest appends the member, or replaces one of the same name whose heartbeat is older. If a schema has several rows
// for a member, one for each process, a row that is up also replaces one that is down.
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

// find returns the index of a member that the poll already has. If there is none, the next member appended must be this one.
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
