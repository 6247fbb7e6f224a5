package api

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"servicegroup_exporter/collector"
	"servicegroup_exporter/collector/hosts"
	"servicegroup_exporter/drivers"
)

// A member is one member as the API returns it.
type member struct {
	Source         string      `json:"source"`
	Group          string      `json:"group"`
	Member         string      `json:"member"`
	Binary         string      `json:"binary"`
	Zone           string      `json:"zone"`
	Host           string      `json:"host"`
	State          string      `json:"state"`
	InService      bool        `json:"in_service"`
	Down           bool        `json:"down"`
	Cause          hosts.Cause `json:"cause,omitempty"`        // while down
	HostAnswers    string      `json:"host_answers,omitempty"` // while down; empty: no Prometheus is asked
	Since          time.Time   `json:"since"`
	SinceKnown     *bool       `json:"since_known,omitempty"` // while down by the last verdict
	LastHeartbeat  *time.Time  `json:"last_heartbeat,omitempty"`
	HeartbeatAge   *float64    `json:"heartbeat_age_seconds,omitempty"` // at the last poll
	Enabled        *bool       `json:"enabled,omitempty"`
	ForcedDown     *bool       `json:"forced_down,omitempty"`
	Fenced         *bool       `json:"fenced,omitempty"` // while forced down
	DisabledReason string      `json:"disabled_reason"`
	UUID           string      `json:"uuid"`
	Version        string      `json:"version"`
	Transitions    uint64      `json:"transitions"`
	Suspected      bool        `json:"suspected"`
	SuspectedSince *time.Time  `json:"suspected_since,omitempty"` // while suspected, like the next two
	SilentSince    *time.Time  `json:"silent_since,omitempty"`
	Overdue        *float64    `json:"overdue_seconds,omitempty"`
	Interval       *float64    `json:"reporting_interval_seconds,omitempty"`
	NotSuspected   string      `json:"not_suspected,omitempty"`
}

// A reasons says what is known of why members are down.
type reasons struct {
	causes  map[collector.MemberKey]hosts.Cause
	answers func(host string) string // whether a host answers; nil: no Prometheus is asked
}

func (a *api) reasons(snapshots []collector.Snapshot) reasons {
	return reasons{collector.Causes(snapshots), a.Alerts.HostAnswers()}
}

// newMember returns a member. The reasons are of the members of all sources.
func newMember(s *collector.Snapshot, m *collector.MemberState, why reasons) member {
	shown := member{
		Source: s.Source, Group: m.Group, Member: m.Name, Binary: m.Binary, Zone: m.Zone, Host: m.Host,
		State: m.State.String(), InService: m.InService, Down: m.DecidedDown, Since: m.InStateSince().UTC(), LastHeartbeat: timeOrNil(m.LastHeartbeat),
		Enabled: boolOrNil(m.Enabled), ForcedDown: boolOrNil(m.ForcedDown),
		DisabledReason: m.DisabledReason, UUID: m.UUID, Version: m.Version, Transitions: m.Transitions,
		Suspected: m.Suspected, NotSuspected: m.NotSuspected,
	}
	if m.DecidedDown {
		shown.Cause = why.causes[collector.MemberKey{Source: s.Source, Key: m.Key()}]
		if why.answers != nil && m.Host != "" {
			shown.HostAnswers = why.answers(m.Host)
		}
	}
	if !m.LastHeartbeat.IsZero() && !s.BackendTime.IsZero() {
		shown.HeartbeatAge = new(max(s.BackendTime.Sub(m.LastHeartbeat).Seconds(), 0))
	}
	if m.Interval > 0 {
		shown.Interval = new(m.Interval.Seconds())
	}
	if m.Suspected {
		shown.SuspectedSince, shown.SilentSince = timeOrNil(m.SuspectedSince), timeOrNil(m.SilentSince)
		shown.Overdue = new(m.Overdue(s.LastSuccess).Seconds())
	}
	if !m.DownSince.IsZero() {
		shown.SinceKnown = new(m.DownSinceKnown)
	}
	if m.ForcedDown == drivers.FlagYes {
		shown.Fenced = new(m.Fenced)
	}
	return shown
}

func boolOrNil(f drivers.Flag) *bool {
	if f == drivers.FlagNone {
		return nil
	}
	return new(f == drivers.FlagYes)
}

func (a *api) members(q query) (any, error) {
	all := a.Collector.Snapshots()
	snapshots, err := q.sourceOf(all)
	if err != nil {
		return nil, err
	}
	state, err := q.oneOf("state", collector.Up.String(), collector.Down.String(), collector.Unknown.String())
	if err != nil {
		return nil, err
	}
	offset, limit, err := q.window(math.MaxInt64)
	if err != nil {
		return nil, err
	}
	group, text := q["group"], strings.ToLower(q["q"])
	matching := membersOf(snapshots, func(m *collector.MemberState) bool {
		return (group == "" || group == m.Group) && (state == "" || state == m.State.String()) && mentions(m, text)
	})
	total := int64(0) // of matching members, regardless of limit and offset
	for range matching {
		total++
	}
	why := a.reasons(all)
	return listAnswer{fmt.Sprintf(`{"total":%d,"members":[`, total), func(yield func(any) bool) {
		n := int64(0)
		for s, m := range matching {
			if n++; n > offset && n-offset <= limit && !yield(newMember(s, m, why)) || n-offset >= limit {
				return
			}
		}
	}, "]}"}, nil
}

// membersOf yields the members that want selects, each with the snapshot of its source.
func membersOf(snapshots []collector.Snapshot, want func(*collector.MemberState) bool) iter.Seq2[*collector.Snapshot, *collector.MemberState] {
	return func(yield func(*collector.Snapshot, *collector.MemberState) bool) {
		for i := range snapshots {
			s := &snapshots[i]
			for j := range s.Members {
				if m := &s.Members[j]; want(m) && !yield(s, m) {
					return
				}
			}
		}
	}
}

// mentions reports whether the name, the group or another attribute of a member contains a text in lower case.
func mentions(m *collector.MemberState, text string) bool {
	if text == "" {
		return true
	}
	for _, s := range []string{m.Name, m.Group, m.Binary, m.Zone, m.DisabledReason} {
		if strings.Contains(strings.ToLower(s), text) {
			return true
		}
	}
	return false
}

// memberEvents is how many events about a member come with it at most.
const memberEvents = 50

type memberAnswer struct {
	Member member   `json:"member"`
	Events []*Event `json:"events"` // newest first
}

func (a *api) member(q query) (any, error) {
	all := a.Collector.Snapshots()
	s, m, err := find(all, q)
	if err != nil {
		return nil, err
	}
	events := a.History.Newest(Filter{Source: s.Source, Group: m.Group, Member: m.Name}, 0, memberEvents)
	return memberAnswer{newMember(s, m, a.reasons(all)), events}, nil
}

// find returns the member that a query names. The query may leave out the source if only one source has such a member.
func find(all []collector.Snapshot, q query) (*collector.Snapshot, *collector.MemberState, error) {
	if err := q.required("group", "member"); err != nil {
		return nil, nil, err
	}
	snapshots, err := q.sourceOf(all)
	if err != nil {
		return nil, nil, err
	}
	var source *collector.Snapshot
	var found *collector.MemberState
	var sources []string
	key := drivers.Key{Group: q["group"], Name: q["member"]}
	for i := range snapshots {
		s := &snapshots[i]
		if j, ok := slices.BinarySearchFunc(s.Members, key, byKey); ok {
			source, found = s, &s.Members[j]
			sources = append(sources, s.Source)
		}
	}
	switch {
	case len(sources) > 1:
		return nil, nil, badRequest("several sources (%s) have this member: choose one with the parameter source", strings.Join(sources, ", "))
	case found != nil:
		return source, found, nil
	}
	if err := allReadable(snapshots); err != nil {
		return nil, nil, err
	}
	return nil, nil, noMember(snapshots, q)
}

// noMember returns the error of a group or member that does not exist, or of a group that can't be read.
func noMember(snapshots []collector.Snapshot, q query) error {
	err := collector.NoMember(snapshots, q["group"], q["member"])
	if errors.Is(err, drivers.ErrUnavailable) {
		return unavailable("%w", err)
	}
	return notFound("%w", err)
}

// byKey compares a member with a key in the order of the members of a snapshot.
func byKey(m collector.MemberState, key drivers.Key) int {
	return cmp.Or(cmp.Compare(m.Group, key.Group), cmp.Compare(m.Name, key.Name))
}

// allReadable returns the error of a source that can't be read, or nil. While there is one, a member that was not found may
// exist.
func allReadable(snapshots []collector.Snapshot) error {
	for i := range snapshots {
		switch s := &snapshots[i]; {
		case s.Readable:
		case s.Err == nil:
			return unavailable("source %s has not been polled yet", s.Source)
		default:
			return unavailable("source %s can't be read (%s): %w", s.Source, s.Reason, s.Err)
		}
	}
	return nil
}
