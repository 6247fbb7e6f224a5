package bridge

import (
	"time"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/collector"
)

// A survey is what can be said about alerts at one moment.
type survey struct {
	builder *alerts.Builder
	pending func(source string) bool

	firing map[alerts.ID]time.Time // since when; zero: since now
	known  map[string]bool         // sources that the collector has, and whether they can be read
	// doubt has the members whose state can't be told, and the groups and sources that can't be judged without them.
	doubt map[subject]bool
}

// A subject is what an alert is about: without the name of a member a group, without that of a group a source.
type subject struct{ source, group, member string }

// newSurvey finds out what fires by what the collector knows.
func newSurvey(snapshots []collector.Snapshot, builder *alerts.Builder, pending func(string) bool) *survey {
	s := &survey{
		builder: builder, pending: pending,
		firing: map[alerts.ID]time.Time{}, known: map[string]bool{}, doubt: map[subject]bool{},
	}
	for i := range snapshots {
		snapshot := &snapshots[i]
		s.known[snapshot.Source] = snapshot.Readable
		if snapshot.Readable {
			s.source(snapshot)
		}
	}
	return s
}

// unknown tells of an alert that does not fire whether that only can't be told.
func (s *survey) unknown(id alerts.ID) bool {
	readable, known := s.known[id.Source]
	switch {
	case !known:
		return s.pending(id.Source)
	case !readable:
		return true
	default:
		return s.doubt[subject{id.Source, id.Group, id.Member}]
	}
}

func (s *survey) source(snapshot *collector.Snapshot) {
	groups := map[string]alerts.Tally{}
	for i := range snapshot.Members {
		m := &snapshot.Members[i]
		tally := groups[m.Group]
		s.member(snapshot.Source, m, &tally)
		groups[m.Group] = tally
	}
	if !snapshot.Catalogue {
		for _, group := range s.builder.ExpectedGroups(snapshot.Source) {
			if _, there := groups[group]; !there {
				groups[group] = alerts.Tally{}
			}
		}
	}
	var all alerts.Tally
	for group, tally := range groups {
		all.Add(tally)
		if !s.doubt[subject{source: snapshot.Source, group: group}] {
			s.fire(s.builder.GroupAlerts(snapshot.Source, group, tally))
		}
	}
	if !s.doubt[subject{source: snapshot.Source}] {
		s.fire(s.builder.SourceAlerts(snapshot.Source, all))
	}
}

func (s *survey) member(source string, m *collector.MemberState, tally *alerts.Tally) {
	if m.State == collector.Unknown {
		s.doubt[subject{source, m.Group, m.Name}] = true
	}
	if m.InDoubt {
		s.doubt[subject{source: source, group: m.Group}] = true
		s.doubt[subject{source: source}] = true
	}
	if m.State == collector.Unknown || !alerts.InService(&m.Member, m.Fenced) {
		return
	}
	tally.InService++
	if m.State == collector.Down {
		tally.Down++
		s.firing[alerts.ID{Alert: alerts.MemberDown, Source: source, Group: m.Group, Member: m.Name}] = m.Since
	}
}

func (s *survey) fire(ids []alerts.ID) {
	for _, id := range ids {
		s.firing[id] = time.Time{}
	}
}
