package collector

import (
	"slices"

	"servicegroup_exporter/drivers"
)

// memory writes the tracker's knowledge down.
func (t *tracker) memory() *memory {
	m := &memory{
		Version: memoryVersion, Source: t.source,
		LastPoll: t.last.wall, LastPollNow: t.lastNow, Gaps: writeGaps(t.gaps),
		Members: make([]rememberedName, len(t.order)),
	}
	for i, rec := range t.order {
		m.Members[i] = writeDown(rec)
		if rec.lastUp != t.last {
			m.Members[i].LastUp = rec.lastUp.wall
		}
	}
	return m
}

// remember takes a memory over into a new tracker.
func (t *tracker) remember(m *memory, now instant) {
	t.known = true
	t.last, t.lastNow, t.gaps = now.at(m.LastPoll), m.LastPollNow, readGaps(m.Gaps, now)
	t.lastSeen = t.last
	for i := range m.Members {
		rec := recall(&m.Members[i], now)
		if rec.state == Up && rec.lastUp.isZero() {
			rec.lastUp = t.last
		}
		t.records[rec.member.Key()] = rec
		t.order = append(t.order, rec)
	}
	slices.SortFunc(t.order, byKey)
}

func writeGaps(g gaps) []rememberedGap {
	var written []rememberedGap
	for _, gap := range g {
		written = append(written, rememberedGap{gap.from, gap.to, gap.ended.wall})
	}
	return written
}

func readGaps(written []rememberedGap, now instant) gaps {
	var g gaps
	for _, w := range written {
		g = append(g, gap{w.From, w.To, now.at(w.Ended)})
	}
	return g
}

func writeDown(rec *record) rememberedName {
	m := &rec.member
	return rememberedName{
		Group: m.Group, Name: m.Name, Binary: m.Binary, Zone: m.Zone,
		UUID: m.UUID, Version: m.Version, DisabledReason: m.DisabledReason,
		State: rec.state.String(), Held: rec.held, Fenced: rec.fenced,
		Rostered: m.Rostered, Enabled: m.Enabled, ForcedDown: m.ForcedDown,
		Since: rec.since.wall, Transitions: rec.transitions,
		Heartbeat: rec.heartbeat, Died: m.Died, SessionTimeout: m.SessionTimeout,
		Silent: rec.silent, HasSilent: rec.hasSilent,
		Blind: rec.blind, BlindFrom: rec.blindFrom, Gaps: writeGaps(rec.gaps),
	}
}

func recall(r *rememberedName, now instant) *record {
	return &record{
		member: drivers.Member{
			Group: r.Group, Name: r.Name, Binary: r.Binary, Zone: r.Zone,
			UUID: r.UUID, Version: r.Version, DisabledReason: r.DisabledReason,
			Up: r.State == Up.String() && !r.Held && r.Blind == entryNone, Rostered: r.Rostered, Enabled: r.Enabled, ForcedDown: r.ForcedDown,
			LastHeartbeat: r.Heartbeat, Died: r.Died, SessionTimeout: r.SessionTimeout,
		},
		state: stateOf(r.State), held: r.Held, fenced: r.Fenced,
		since: now.at(r.Since), transitions: r.Transitions,
		heartbeat: r.Heartbeat, lastUp: now.at(r.LastUp),
		silent: r.Silent, hasSilent: r.HasSilent,
		blind: r.Blind, blindFrom: r.BlindFrom, gaps: readGaps(r.Gaps, now),
	}
}
