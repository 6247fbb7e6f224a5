package api

import (
	"strings"
	"time"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/collector"
	"servicegroup_exporter/internal/suggest"
)

// A source is one source as the API returns it.
type source struct {
	Source      string     `json:"source"`
	Driver      string     `json:"driver"`
	Schema      string     `json:"schema"`
	Layout      string     `json:"layout"`
	Backend     string     `json:"backend"`
	Up          bool       `json:"up"`
	Error       string     `json:"error,omitempty"`
	Reason      string     `json:"reason,omitempty"`
	LastAttempt *time.Time `json:"last_attempt"` // null before the first poll
	LastSuccess *time.Time `json:"last_success"` // null before the first success
	AgeSeconds  *float64   `json:"age_seconds"`  // of the last success

	PollDurationSeconds float64  `json:"poll_duration_seconds"`
	ClockOffsetSeconds  *float64 `json:"clock_offset_seconds,omitempty"`
	HeartbeatTimeout    float64  `json:"heartbeat_timeout_seconds"`
	HeartbeatsStalled   bool     `json:"heartbeats_stalled"`
	MassFailure         bool     `json:"mass_failure"`
	Stale               bool     `json:"stale"`
	Members             counts   `json:"members"`
	decisions
	Rejected  int       `json:"rejected"`
	LongNames int       `json:"long_names"`
	Problems  []problem `json:"problems"`
}

// A problem is what is probably not as the operator meant it, although the source can be read.
type problem struct {
	Problem string `json:"problem"`
	Group   string `json:"group,omitempty"`
	Detail  string `json:"detail"`
}

// counts has the number of members in each state. A member that is out of service counts as that only.
type counts struct {
	Up           int `json:"up"`
	Down         int `json:"down"`
	Unknown      int `json:"unknown"`
	OutOfService int `json:"out_of_service"`
}

func (c *counts) add(m *collector.MemberState) {
	switch {
	case !m.InService:
		c.OutOfService++
	case m.State == collector.Up:
		c.Up++
	case m.State == collector.Down:
		c.Down++
	default:
		c.Unknown++
	}
}

type sourcesAnswer struct {
	Now     time.Time `json:"now"`
	Sources []source  `json:"sources"`
}

func (a *api) sources(query) (any, error) {
	snapshots := a.Collector.Snapshots()
	answer := sourcesAnswer{time.Now().UTC(), make([]source, len(snapshots))}
	for i := range snapshots {
		answer.Sources[i] = newSource(&snapshots[i])
	}
	return answer, nil
}

func newSource(s *collector.Snapshot) source {
	shown := source{
		Source: s.Source, Driver: s.Driver, Schema: s.Schema, Layout: s.Layout, Backend: s.Backend,
		Up: s.Readable, Reason: string(s.Reason),
		LastAttempt: timeOrNil(s.LastAttempt), LastSuccess: timeOrNil(s.LastSuccess), AgeSeconds: age(s.LastSuccess),
		PollDurationSeconds: s.PollDuration.Seconds(), HeartbeatTimeout: s.DownTime.Seconds(),
		HeartbeatsStalled: s.HeartbeatsStalled, Stale: s.Stale, LongNames: s.LongNames, Problems: make([]problem, len(s.Problems)),
	}
	for i, p := range s.Problems {
		shown.Problems[i] = problem{string(p.Kind), p.Group, p.Detail}
	}
	if s.Err != nil {
		shown.Error = s.Err.Error()
	}
	if s.HasClock {
		shown.ClockOffsetSeconds = new(s.ClockOffset.Seconds())
	}
	for i := range s.Members {
		shown.Members.add(&s.Members[i])
	}
	shown.decisions, shown.MassFailure = decided(s)
	for _, n := range s.Rejected {
		shown.Rejected += n
	}
	return shown
}

// decided returns what is decided about the members of a source, and whether most of them are down.
func decided(s *collector.Snapshot) (d decisions, massFailure bool) {
	for i := range s.Groups {
		d.InService += s.Groups[i].InService
		d.Down += s.Groups[i].Down
	}
	return d, s.Readable && alerts.IsMassFailure(d.InService, d.Down)
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC())
}

// age returns the seconds since a time, or nil if the time is zero.
func age(t time.Time) *float64 {
	if t.IsZero() {
		return nil
	}
	return new(max(time.Since(t).Seconds(), 0))
}

// asked returns the snapshot of the source that a query names, or the snapshots of all sources.
func (a *api) asked(q query) ([]collector.Snapshot, error) {
	return q.sourceOf(a.Collector.Snapshots())
}

// sourceOf returns the one of all snapshots whose source the query names, or all.
func (q query) sourceOf(all []collector.Snapshot) ([]collector.Snapshot, error) {
	name, ok := q["source"]
	if !ok {
		return all, nil
	}
	var names []string
	for i := range all {
		if all[i].Source == name {
			return all[i : i+1], nil
		}
		names = append(names, all[i].Source)
	}
	return nil, notFound("there is no source %q: the sources are %s%s", name, strings.Join(names, ", "), suggest.Hint(name, names))
}
