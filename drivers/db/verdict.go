package db

import (
	"slices"
	"time"

	"servicegroup_exporter/drivers"
)

// member returns the member of a row, with the verdict of its service. A member that is forced down is not up.
func (b *builder) member(r *row) drivers.Member {
	m := drivers.Member{
		Group: r.group.s, Name: r.name.s, Binary: r.binary.s, Zone: r.zone.s,
		LastHeartbeat: time.UnixMicro(r.beat.n).UTC(),
		Rostered:      true,
		Enabled:       b.layout.enabled(r),
		ForcedDown:    b.layout.forcedDown(r),
		UUID:          r.uuid.s, Version: r.version.s, DisabledReason: r.reason.s,
	}
	if r.count.ok && !r.count.invalid && r.count.n >= 0 {
		m.ReportCount, m.HasReportCount = uint64(r.count.n), true
	}
	m.Up = m.ForcedDown != drivers.FlagYes && b.isAlive(r, m.LastHeartbeat)
	return m
}

// enabled returns the operator's decision, if the service has such a column.
func (l *layout) enabled(r *row) drivers.Flag {
	switch {
	case l.schema.disabled != "":
		return drivers.FlagOf(r.admin.n == 0)
	case l.schema.enabled != "":
		return drivers.FlagOf(r.admin.n != 0)
	}
	return drivers.FlagNone
}

// forcedDown returns the operator's decision, if the release has such a column. NULL means no. For a schema with a column
// online a member that is not online is forced down.
func (l *layout) forcedDown(r *row) drivers.Flag {
	switch {
	case l.schema.online != "":
		return drivers.FlagOf(r.online.n == 0)
	case l.schema.forcedDown != "" && l.has(l.schema.forcedDown):
		return drivers.FlagOf(r.forced.n != 0)
	}
	return drivers.FlagNone
}

// isAlive applies the rule of the release.
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

// intervals is how many of its own intervals a row may be without a heartbeat. Only Heat has such a column.
const intervals = 2
