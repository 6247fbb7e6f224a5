package page

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"

	"servicegroup_exporter/collector"
	"servicegroup_exporter/collector/hosts"
	"servicegroup_exporter/drivers"
)

// A listing is the list of members for browsers without JavaScript, one page of it. The scripts show the same list live.
type listing struct {
	pageLinks
	Rows        []row
	Total       int
	First, Last int // of the rows, from 1
	Sorts       []sortLink
}

// A row is a member in the list.
type row struct {
	Source  string
	State   string
	Member  *collector.MemberState
	Address string
	Notes   string
	Cause   string // why it is down, in words; empty: it is not, or that is not known
	// HostAnswers is whether the host of a member that is down answers; empty: no Prometheus is asked.
	HostAnswers string

	age    time.Duration // of the last heartbeat at the last poll
	hasAge bool
}

// HostAddress returns the address of the page of the member's host.
func (r *row) HostAddress() string { return hostAddress(r.Member.Host) }

// Since returns for how long the member has been in its state.
func (r *row) Since() string {
	text := age(r.Member.InStateSince())
	if !r.Member.DownSince.IsZero() && !r.Member.DownSinceKnown {
		return "≥ " + text
	}
	return text
}

// Heartbeat returns the age of the last heartbeat at the last poll.
func (r *row) Heartbeat() string {
	if !r.hasAge {
		return ""
	}
	return measured(r.age)
}

// ask sets whether the host of a member that is down answers.
func (r *row) ask(answers func(host string) string) {
	if r.Member.DecidedDown && r.Member.Host != "" {
		r.HostAnswers = answers(r.Member.Host)
	}
}

// newListing returns the page of the list that a query asks for.
func newListing(snapshots []collector.Snapshot, q url.Values, answers func(host string) string) listing {
	rows := matching(snapshots, q)
	sortRows(rows, q.Get("sort"))
	to := linksTo("./", q, "q", "source", "group", "zone", "state", "sort", "page")
	first, last, links := paged(len(rows), q, to)
	for i := range rows[first:last] {
		rows[first+i].ask(answers)
	}
	return listing{
		pageLinks: links, Rows: rows[first:last], Total: len(rows), First: first + 1, Last: last,
		Sorts: sortLinks(q, to, link{"state", "State"}, link{"member", "Member"}, link{"since", "Since"}, link{"heartbeat", "Heartbeat"}),
	}
}

// matching returns the rows that the filters of a query select, in the order of the API.
func matching(snapshots []collector.Snapshot, q url.Values) []row {
	fits := func(name, value string) bool { return q.Get(name) == "" || q.Get(name) == value }
	text := strings.ToLower(strings.TrimSpace(q.Get("q")))
	causes := collector.Causes(snapshots)
	var rows []row
	for i := range snapshots {
		s := &snapshots[i]
		for j := range s.Members {
			m := &s.Members[j]
			if !fits("source", s.Source) || !fits("group", m.Group) || !fits("zone", m.Zone) || !fits("state", stateOf(s, m).String()) ||
				!strings.Contains(strings.ToLower(strings.Join([]string{m.Name, m.Group, m.Binary, m.Zone, m.DisabledReason}, "\n")), text) {
				continue
			}
			rows = append(rows, newRow(s, m, causes[collector.MemberKey{Source: s.Source, Key: m.Key()}]))
		}
	}
	return rows
}

// stateOf returns the state of a member. In a source that was not read recently it is unknown.
func stateOf(s *collector.Snapshot, m *collector.MemberState) collector.State {
	if s.Stale {
		return collector.Unknown
	}
	return m.State
}

// newRow returns the row of a member. The cause is why it is down.
func newRow(s *collector.Snapshot, m *collector.MemberState, cause hosts.Cause) row {
	state := stateOf(s, m)
	r := row{Source: s.Source, State: state.String(), Member: m, Notes: notes(m, state, s.LastSuccess), Cause: causeText(cause)}
	r.Address = "member?" + url.Values{"source": {s.Source}, "group": {m.Group}, "member": {m.Name}}.Encode()
	if !m.LastHeartbeat.IsZero() && !s.BackendTime.IsZero() {
		r.age, r.hasAge = max(s.BackendTime.Sub(m.LastHeartbeat), 0), true
	}
	return r
}

// notes returns the suspicion of a member at the last poll and its administrative state, as notes in store.js.
func notes(m *collector.MemberState, state collector.State, polled time.Time) string {
	var words []string
	if m.Suspected {
		words = append(words, "suspected: heartbeat overdue by "+measured(m.Overdue(polled)))
	}
	if m.DecidedDown && state == collector.Unknown {
		words = append(words, "down when last known")
	}
	switch {
	case m.ForcedDown != drivers.FlagYes:
	case m.Fenced:
		words = append(words, "forced down after it died")
	default:
		words = append(words, "forced down")
	}
	switch {
	case m.Enabled != drivers.FlagNo:
	case m.DisabledReason != "":
		words = append(words, "disabled: "+m.DisabledReason)
	default:
		words = append(words, "disabled")
	}
	return strings.Join(words, "; ")
}

// sortRows sorts rows as select.js does.
func sortRows(rows []row, order string) {
	name, reverse := strings.CutPrefix(order, "-")
	var compare func(a, b row) int
	switch name {
	case "member":
		compare = func(a, b row) int { return cmp.Compare(a.Member.Name, b.Member.Name) }
	case "since":
		compare = func(a, b row) int { return b.Member.InStateSince().Compare(a.Member.InStateSince()) }
	case "heartbeat":
		compare = func(a, b row) int { return cmp.Or(first(a.hasAge, b.hasAge), cmp.Compare(a.age, b.age)) }
	default:
		states := []string{collector.Down.String(), collector.Unknown.String(), collector.Up.String()}
		compare = func(a, b row) int {
			return cmp.Or(cmp.Compare(slices.Index(states, a.State), slices.Index(states, b.State)),
				first(a.Member.DecidedDown, b.Member.DecidedDown), first(a.Member.Suspected, b.Member.Suspected), newest(a, b))
		}
	}
	slices.SortStableFunc(rows, compare)
	if reverse {
		slices.Reverse(rows)
	}
}

// newest compares members that are down by when they died. Other members keep their order.
func newest(a, b row) int {
	if a.State != collector.Down.String() {
		return 0
	}
	return b.Member.InStateSince().Compare(a.Member.InStateSince())
}

// first puts what is true first.
func first(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	default:
		return 1
	}
}
