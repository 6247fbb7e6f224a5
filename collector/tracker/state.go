package tracker

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"servicegroup_exporter/drivers"
)

// SavedVersion is the version of the format. Of a later one is read what this version understands: see state_later.go. An
// earlier one would be converted here.
const SavedVersion = 1

// A Saved is what a [Tracker] writes to its state file, so that after a restart a member that died meanwhile is found dead,
// and a member that was dead before is not a new death. It is encoded as JSON.
type Saved struct {
	Version     int           `json:"version"`
	Source      string        `json:"source"`
	LastPoll    time.Time     `json:"last_poll"`               // by this machine's clock
	LastPollNow time.Time     `json:"last_poll_backend_clock"` // the same as LastPoll where the backend has no clock
	Outages     []savedOutage `json:"gaps,omitempty"`
	Members     []savedMember `json:"members"`
	Groups      []savedGroup  `json:"groups,omitempty"`
	Ended       []savedEnded  `json:"were_down,omitempty"`
	Suspected   []savedEnded  `json:"were_suspected,omitempty"`
	// Events are the newest events, oldest first. The collector sets and reads them; the Tracker keeps none.
	Events []SavedEvent `json:"events,omitempty"`
	// Skipped is how much of the state of a later version was not understood: members, groups, events and other elements.
	Skipped int `json:"-"`
}

// A savedGroup is a group as the last poll left it that knew it.
type savedGroup struct {
	Name      string    `json:"name"`
	InService int       `json:"in_service"`
	Down      int       `json:"down"`
	LastKnown time.Time `json:"last_known"`
}

// A savedEnded is a [Decision] that has ended. Those that last follow from the members.
type savedEnded struct {
	Group  string    `json:"group"`
	Name   string    `json:"name"`
	Binary string    `json:"binary,omitempty"`
	Zone   string    `json:"zone,omitempty"`
	Ended  time.Time `json:"ended"`
}

type savedOutage struct {
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	Ended time.Time `json:"ended"`
}

type savedMember struct {
	Group           string        `json:"group"`
	Name            string        `json:"name"`
	Binary          string        `json:"binary,omitempty"`
	Zone            string        `json:"zone,omitempty"`
	UUID            string        `json:"uuid,omitempty"`
	Version         string        `json:"version,omitempty"`
	DisabledReason  string        `json:"disabled_reason,omitempty"`
	State           string        `json:"state"`
	InGrace         bool          `json:"held,omitempty"`
	Fenced          bool          `json:"fenced,omitempty"`
	Rostered        bool          `json:"rostered,omitempty"`
	Enabled         drivers.Flag  `json:"enabled,omitempty"`
	ForcedDown      drivers.Flag  `json:"forced_down,omitempty"`
	Since           time.Time     `json:"since"`
	Transitions     uint64        `json:"transitions,omitempty"`
	Heartbeat       time.Time     `json:"heartbeat,omitzero"`
	Died            time.Time     `json:"died,omitzero"`
	LastUp          time.Time     `json:"last_up,omitzero"` // where it is not the last poll
	SessionTimeout  time.Duration `json:"session_timeout_ns,omitempty"`
	DisabledSince   time.Time     `json:"disabled_since,omitzero"`
	ForcedSince     time.Time     `json:"forced_since,omitzero"`
	Changes         []time.Time   `json:"changes,omitempty"`
	Silent          time.Duration `json:"silent_ns,omitempty"`
	HasSilent       bool          `json:"has_silent,omitempty"`
	DownSince       time.Time     `json:"down_since,omitzero"`
	DownSinceKnown  bool          `json:"down_since_known,omitempty"`
	Unreadable      entry         `json:"blind,omitempty"`
	UnreadableSince time.Time     `json:"blind_from,omitzero"`
	UnreadableSpans []savedOutage `json:"gaps,omitempty"`
	ReportCount     uint64        `json:"report_count,omitempty"`
	HasReportCount  bool          `json:"has_report_count,omitempty"`
	Beats           *savedBeats   `json:"beats,omitempty"`
}

// Save returns what the Tracker knows.
func (t *Tracker) Save() *Saved {
	s := &Saved{
		Version: SavedVersion, Source: t.opts.Source,
		LastPoll: t.last.start.Wall, LastPollNow: t.last.clock, Outages: t.outages.save(),
		Members: make([]savedMember, len(t.order)),
	}
	for i, m := range t.order {
		s.Members[i] = m.save()
		if m.lastUp != t.last.start {
			s.Members[i].LastUp = m.lastUp.Wall
		}
	}
	for _, g := range t.Groups() {
		if !g.LastKnown.IsZero() {
			s.Groups = append(s.Groups, savedGroup{g.Name, g.InService, g.DecidedDown, g.LastKnown})
		}
	}
	s.Ended, s.Suspected = t.down.saveEnded(), t.suspected.saveEnded()
	return s
}

func (ds *decisions) saveEnded() (saved []savedEnded) {
	for _, d := range ds.sort() {
		if !d.Lasts() {
			saved = append(saved, savedEnded{d.Group, d.Name, d.Binary, d.Zone, d.ended.Wall})
		}
	}
	return saved
}

// ParseSaved decodes what a Tracker of this source has saved. It returns an error for what no Tracker can have saved.
func ParseSaved(data []byte, source string) (*Saved, error) {
	var head struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, err
	}
	if head.Version > SavedVersion {
		return parseLater(data, source)
	}
	var s Saved
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, err
	}
	if err := s.check(source); err != nil {
		return nil, err
	}
	return &s, nil
}

// Restore takes over what an earlier process saved. The Tracker must be new; now is the time of the call.
func (t *Tracker) Restore(s *Saved, now Instant) {
	t.polled = true
	t.last = pollTime{start: now.at(s.LastPoll), end: now.at(s.LastPoll), clock: s.LastPollNow}
	t.outages = restoreOutages(s.Outages, now)
	for i := range s.Members {
		m := s.Members[i].restore(now, s.LastPoll)
		if m.state == Up && m.lastUp.IsZero() {
			m.lastUp = t.last.start
		}
		t.members[m.Key()] = m
		t.order = append(t.order, m)
		t.hasHeartbeats = t.hasHeartbeats || !m.heartbeat.IsZero()
	}
	slices.SortFunc(t.order, Compare)
	t.intervalsChanged = true
	t.restoreDecisions(s, now)
	t.restoreGroups(s)
	t.Set(t.opts.Settings)
}

func (t *Tracker) restoreDecisions(s *Saved, now Instant) {
	t.down.restoreEnded(s.Ended, now)
	t.suspected.restoreEnded(s.Suspected, now)
	for _, m := range t.order {
		t.decideDown(m, true, now)
		t.decideSuspected(m, true, now)
	}
	t.decisionsChanged = false
}

func (ds *decisions) restoreEnded(saved []savedEnded, now Instant) {
	for _, e := range saved {
		d := &Decision{Group: e.Group, Name: e.Name, Binary: e.Binary, Zone: e.Zone, ended: now.atPast(e.Ended)}
		ds.all[d.key()] = d
	}
}

// restoreGroups makes the groups of the members that were restored. An earlier version saved no groups: their numbers
// are then counted from the members, unless one may have been up or down.
func (t *Tracker) restoreGroups(s *Saved) {
	for _, m := range t.order {
		g := t.groups[m.Group]
		if g == nil {
			g = &Group{Name: m.Group}
			t.groups[m.Group] = g
		}
		g.add(m)
	}
	for _, g := range t.groups {
		if !g.InDoubt {
			g.InService, g.DecidedDown, g.LastKnown = g.inService, g.decidedDown, s.LastPoll
		}
	}
	for _, saved := range s.Groups {
		g := t.groups[saved.Name]
		if g == nil {
			g = &Group{Name: saved.Name}
			t.groups[saved.Name] = g
		}
		g.InService, g.DecidedDown, g.LastKnown = saved.InService, saved.Down, saved.LastKnown
	}
}

// checkHead returns an error if the state lacks what every state needs.
func (s *Saved) checkHead(source string) error {
	switch {
	case s.Version < 1:
		return errors.New("it has no version")
	case s.Source != source:
		return fmt.Errorf("it is the state of source %q", s.Source)
	case s.LastPoll.IsZero() || s.LastPollNow.IsZero():
		return errors.New("it has no time of the last poll")
	}
	return nil
}

func (s *Saved) check(source string) error {
	if err := s.checkHead(source); err != nil {
		return err
	}
	members := make(map[drivers.Key]bool, len(s.Members))
	for i := range s.Members {
		m := &s.Members[i]
		if !m.valid() || !isNew(members, m.key()) {
			return fmt.Errorf("member %d (group %q, name %q) is damaged", i+1, m.Group, m.Name)
		}
	}
	groups := make(map[string]bool, len(s.Groups))
	for i := range s.Groups {
		if g := &s.Groups[i]; !g.valid() || !isNew(groups, g.Name) {
			return fmt.Errorf("group %q is damaged", g.Name)
		}
	}
	for _, e := range slices.Concat(s.Ended, s.Suspected) {
		if !e.valid() {
			return fmt.Errorf("the end of group %q, name %q is damaged", e.Group, e.Name)
		}
	}
	for i := range s.Events {
		if !s.Events[i].valid() {
			return fmt.Errorf("event %d (of group %q, name %q) is damaged", i+1, s.Events[i].Group, s.Events[i].Name)
		}
	}
	return nil
}

// valid reports whether a Tracker can have saved this.
func (g *savedGroup) valid() bool {
	return validName(g.Name) && g.Down >= 0 && g.InService >= g.Down
}

// valid reports whether a Tracker can have saved this.
func (e *savedEnded) valid() bool {
	return validName(e.Group) && validName(e.Name) && !e.Ended.IsZero()
}

func (s *savedMember) key() drivers.Key { return drivers.Key{Group: s.Group, Name: s.Name} }

// valid reports whether a Tracker can have saved this.
func (s *savedMember) valid() bool {
	return validName(s.Group) && validName(s.Name) && !s.Since.IsZero() &&
		stateOf(s.State).String() == s.State &&
		(!s.Fenced || s.ForcedDown == drivers.FlagYes && stateOf(s.State) == Down) &&
		s.Unreadable <= entryDamaged && (s.Unreadable == entryVerdict) == s.UnreadableSince.IsZero() &&
		(s.Beats == nil || s.Beats.valid(stateOf(s.State)))
}

func (all outages) save() []savedOutage {
	var saved []savedOutage
	for _, o := range all {
		saved = append(saved, savedOutage{o.from, o.to, o.ended.Wall})
	}
	return saved
}

func restoreOutages(saved []savedOutage, now Instant) outages {
	var all outages
	for _, s := range saved {
		all = append(all, outage{s.From, s.To, now.at(s.Ended)})
	}
	return all
}

func (m *Member) save() savedMember {
	downSince, isKnown := m.DownSince()
	return savedMember{
		Group: m.Group, Name: m.Name, Binary: m.Binary, Zone: m.Zone,
		UUID: m.UUID, Version: m.Version, DisabledReason: m.DisabledReason,
		State: m.state.String(), InGrace: m.inGrace, Fenced: m.Fenced,
		Rostered: m.Rostered, Enabled: m.Enabled, ForcedDown: m.ForcedDown,
		Since: m.Since.Wall, Transitions: m.Transitions,
		DisabledSince: m.disabledSince, ForcedSince: m.forcedSince, Changes: wallTimes(m.changes),
		Heartbeat: m.heartbeat, Died: m.Died, SessionTimeout: m.SessionTimeout,
		Silent: m.silent, HasSilent: m.hasSilent, DownSince: downSince, DownSinceKnown: isKnown,
		Unreadable: m.unreadable, UnreadableSince: m.unreadableSince, UnreadableSpans: m.unreadableSpans.save(),
		ReportCount: m.ReportCount, HasReportCount: m.HasReportCount, Beats: m.beats.save(),
	}
}

func wallTimes(instants []Instant) []time.Time {
	var times []time.Time
	for _, i := range instants {
		times = append(times, i.Wall)
	}
	return times
}

// restore returns the member. An earlier version did not save since when it was disabled or forced down; that was at the
// last poll at the latest.
func (s *savedMember) restore(now Instant, lastPoll time.Time) *Member {
	m := &Member{
		Member: drivers.Member{
			Group: s.Group, Name: s.Name, Binary: s.Binary, Zone: s.Zone,
			UUID: s.UUID, Version: s.Version, DisabledReason: s.DisabledReason,
			Up:       s.State == Up.String() && !s.InGrace && s.Unreadable == entryVerdict,
			Rostered: s.Rostered, Enabled: s.Enabled, ForcedDown: s.ForcedDown,
			LastHeartbeat: s.Heartbeat, Died: s.Died, SessionTimeout: s.SessionTimeout,
			ReportCount: s.ReportCount, HasReportCount: s.HasReportCount,
		},
		state: stateOf(s.State), inGrace: s.InGrace, Fenced: s.Fenced,
		Since: now.at(s.Since), Transitions: s.Transitions,
		heartbeat: s.Heartbeat, lastUp: now.at(s.LastUp),
		silent: s.Silent, hasSilent: s.HasSilent,
		unreadable: s.Unreadable, unreadableSince: s.UnreadableSince, unreadableSpans: restoreOutages(s.UnreadableSpans, now),
	}
	for _, at := range s.Changes[max(0, len(s.Changes)-flapMost-1):] {
		m.changes = append(m.changes, now.atPast(at))
	}
	m.down = s.restoreDown(now)
	m.beats = s.Beats.restore(now)
	m.disabledSince, m.forcedSince = s.DisabledSince, s.ForcedSince
	m.noteDisabled(disabledBy(&m.Member), lastPoll)
	return m
}
