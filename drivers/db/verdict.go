package db

import (
	"slices"
	"time"

	"servicegroup_exporter/drivers"
)

// member makes a member of a row, with the verdict of its service: whoever is forced down is not up.
func (b *builder) member(r *row) drivers.Member {
	m := drivers.Member{
		Group: r.group.s, Name: r.name.s, Binary: r.binary.s, Zone: r.zone.s,
		LastHeartbeat: time.UnixMicro(r.beat.n).UTC(),
		Rostered:      true,
		Enabled:       b.layout.enabled(r),
		ForcedDown:    b.layout.forcedDown(r),
		UUID:          r.uuid.s, Version: r.version.s, DisabledReason: r.reason.s,
	}
	m.Up = m.ForcedDown != drivers.FlagYes && b.isAlive(r, m.LastHeartbeat)
	return m
}

// enabled is what an operator decided, where the service knows such a thing.
func (l *layout) enabled(r *row) drivers.Flag {
	switch {
	case l.schema.disabled != "":
		return drivers.FlagOf(r.admin.n == 0)
	case l.schema.enabled != "":
		return drivers.FlagOf(r.admin.n != 0)
	}
	return drivers.FlagNone
}

// forcedDown is likewise. NULL is no, but only a missing column has no answer; and nobody is online who is not.
func (l *layout) forcedDown(r *row) drivers.Flag {
	switch {
	case l.schema.online != "":
		return drivers.FlagOf(r.online.n == 0)
	case l.schema.forcedDown != "" && l.has(l.schema.forcedDown):
		return drivers.FlagOf(r.forced.n != 0)
	}
	return drivers.FlagNone
}

// isAlive goes by the rule of the release.
func (b *builder) isAlive(r *row, beat time.Time) bool {
	rule := &b.layout.rule
	if rule.state != "" {
		return slices.Contains(rule.up, r.state.s)
	}
	if r.busy.n != 0 {
		return true
	}
	limit := b.poll.DownTime
	if r.interval.ok {
		limit = intervals * time.Duration(r.interval.n) * time.Second
	}
	age := b.poll.Now.Sub(beat)
	if !rule.oneSided {
		age = age.Abs()
	}
	return age < limit || age == limit && !rule.strict
}

// intervals is how many of its own intervals a row may be silent: Heat's only service with such a column.
const intervals = 2
