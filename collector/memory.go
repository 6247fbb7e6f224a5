package collector

import (
	"fmt"
	"slices"
	"time"

	"servicegroup_exporter/drivers"
)

// memoryVersion is the version of the file format. A file of a later version is not understood, one of an earlier
// version would be converted here.
const memoryVersion = 1

// A memory is what a tracker writes down, so that who died while the exporter was not running is found dead, and who
// was dead is not new.
type memory struct {
	Version     int              `json:"version"`
	Source      string           `json:"source"`
	LastPoll    time.Time        `json:"last_poll"`               // by this machine's clock
	LastPollNow time.Time        `json:"last_poll_backend_clock"` // the same as LastPoll where the backend has no clock
	Gaps        []rememberedGap  `json:"gaps,omitempty"`
	Members     []rememberedName `json:"members"`
}

type rememberedGap struct {
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	Ended time.Time `json:"ended"`
}

type rememberedName struct {
	Group          string        `json:"group"`
	Name           string        `json:"name"`
	Binary         string        `json:"binary,omitempty"`
	Zone           string        `json:"zone,omitempty"`
	UUID           string        `json:"uuid,omitempty"`
	Version        string        `json:"version,omitempty"`
	DisabledReason string        `json:"disabled_reason,omitempty"`
	Up             bool          `json:"up"`
	Held           bool          `json:"held,omitempty"`
	Rostered       bool          `json:"rostered,omitempty"`
	Enabled        drivers.Flag  `json:"enabled,omitempty"`
	ForcedDown     drivers.Flag  `json:"forced_down,omitempty"`
	Since          time.Time     `json:"since"`
	Transitions    uint64        `json:"transitions,omitempty"`
	Heartbeat      time.Time     `json:"heartbeat,omitzero"`
	Died           time.Time     `json:"died,omitzero"`
	LastUp         time.Time     `json:"last_up,omitzero"` // where it is not the last poll
	SessionTimeout time.Duration `json:"session_timeout_ns,omitempty"`
	Silent         time.Duration `json:"silent_ns,omitempty"`
	HasSilent      bool          `json:"has_silent,omitempty"`
}

// memory writes the tracker's knowledge down.
func (t *tracker) memory() *memory {
	m := &memory{
		Version: memoryVersion, Source: t.source,
		LastPoll: t.last.wall, LastPollNow: t.lastNow,
		Members: make([]rememberedName, len(t.order)),
	}
	for _, g := range t.gaps {
		m.Gaps = append(m.Gaps, rememberedGap{g.from, g.to, g.ended.wall})
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
	t.last, t.lastNow = now.at(m.LastPoll), m.LastPollNow
	for _, g := range m.Gaps {
		t.gaps = append(t.gaps, gap{g.From, g.To, now.at(g.Ended)})
	}
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

func writeDown(rec *record) rememberedName {
	m := &rec.member
	return rememberedName{
		Group: m.Group, Name: m.Name, Binary: m.Binary, Zone: m.Zone,
		UUID: m.UUID, Version: m.Version, DisabledReason: m.DisabledReason,
		Up: rec.state == Up, Held: rec.held, Rostered: m.Rostered, Enabled: m.Enabled, ForcedDown: m.ForcedDown,
		Since: rec.since.wall, Transitions: rec.transitions,
		Heartbeat: rec.heartbeat, Died: m.Died, SessionTimeout: m.SessionTimeout,
		Silent: rec.silent, HasSilent: rec.hasSilent,
	}
}

func recall(r *rememberedName, now instant) *record {
	rec := &record{
		member: drivers.Member{
			Group: r.Group, Name: r.Name, Binary: r.Binary, Zone: r.Zone,
			UUID: r.UUID, Version: r.Version, DisabledReason: r.DisabledReason,
			Up: r.Up && !r.Held, Rostered: r.Rostered, Enabled: r.Enabled, ForcedDown: r.ForcedDown,
			LastHeartbeat: r.Heartbeat, Died: r.Died, SessionTimeout: r.SessionTimeout,
		},
		state: Down, held: r.Held,
		since: now.at(r.Since), transitions: r.Transitions,
		heartbeat: r.Heartbeat, lastUp: now.at(r.LastUp),
		silent: r.Silent, hasSilent: r.HasSilent,
	}
	if r.Up {
		rec.state = Up
	}
	return rec
}

// check refuses a memory that no tracker can have written.
func (m *memory) check(source string) error {
	switch {
	case m.Version != memoryVersion:
		return fmt.Errorf("version %d is not understood, only %d is", m.Version, memoryVersion)
	case m.Source != source:
		return fmt.Errorf("it is the memory of source %q", m.Source)
	case m.LastPoll.IsZero() || m.LastPollNow.IsZero():
		return fmt.Errorf("it has no time of the last poll")
	}
	seen := make(map[drivers.Key]bool, len(m.Members))
	for i := range m.Members {
		r := &m.Members[i]
		key := drivers.Key{Group: r.Group, Name: r.Name}
		if !validName(r.Group) || !validName(r.Name) || r.Since.IsZero() || seen[key] {
			return fmt.Errorf("member %d (group %q, name %q) is damaged", i+1, r.Group, r.Name)
		}
		seen[key] = true
	}
	return nil
}
