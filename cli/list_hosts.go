package cli

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"servicegroup_exporter/cli/term"
	"servicegroup_exporter/collector"
	"servicegroup_exporter/web/api"
)

// The columns of the table of hosts.
const (
	columnHost = iota
	columnHostState
	columnProof
	columnMembers
	columnDown
	columnHostZone
)

// listHosts returns the hosts, or those with a member of one group: those that are down first. What was known of a source that
// can't be read counts.
func listHosts(snapshots []collector.Snapshot, group string) []collector.Host {
	found := slices.DeleteFunc(collector.Hosts(snapshots, nil), func(h collector.Host) bool {
		return group != "" && !slices.ContainsFunc(h.Members, func(m collector.HostMember) bool { return m.Group == group })
	})
	slices.SortStableFunc(found, collector.CompareHosts)
	return found
}

// printHosts prints the hosts in the states that were asked for.
func (f *listFlags) printHosts(s *term.Screen, all []collector.Host) error {
	found := slices.DeleteFunc(slices.Clone(all), func(h collector.Host) bool {
		return len(f.states) > 0 && !slices.Contains(f.states, h.Verdict().String())
	})
	if f.format == "json" {
		shown := make([]api.Host, len(found))
		for i := range found {
			shown[i] = api.NewHost(&found[i])
		}
		return printJSON(s, shown)
	}
	t := hostTable(found, s.IsTerminal(), time.Now())
	if err := t.Print(s); err != nil || !s.IsTerminal() {
		return err
	}
	states := make([]string, len(all))
	for i := range all {
		states[i] = all[i].Verdict().String()
	}
	return printSummary(s, "host", states)
}

// hostTable returns the table of hosts: on a terminal with ages instead of times, and with columns that shrink.
func hostTable(found []collector.Host, ages bool, now time.Time) *term.Table {
	t := &term.Table{
		Titles: []string{"HOST", "STATE", "LAST PROOF OF LIFE", "MEMBERS", "DOWN", "ZONE"},
		Shrinks: []term.Shrink{
			{Column: columnDown, Min: 24},
			{Column: columnHost, Min: 32},
			{Column: columnHostZone, Min: 0},
			{Column: columnDown, Min: 11},
			{Column: columnHost, Min: 16},
			{Column: columnMembers, Min: 0},
			{Column: columnDown, Min: 5},
			{Column: columnHost, Min: 8},
		},
	}
	if ages {
		t.Titles[columnProof] = "SEEN"
	}
	for i := range found {
		h := &found[i]
		proof := term.None
		switch {
		case h.LastProof.IsZero():
		case ages:
			proof = term.Duration(max(0, now.Sub(h.LastProof))) + " ago"
		default:
			proof = orDash(timeOrNil(h.LastProof))
		}
		t.Rows = append(t.Rows, []term.Cell{
			columnHost:      {Text: term.Printable(h.Name)},
			columnHostState: {Text: hostState(h), Style: stateStyle(h.Verdict().String())},
			columnProof:     {Text: proof},
			columnMembers:   {Text: strconv.Itoa(len(h.Members))},
			columnDown:      {Text: term.OrNone(downOn(h))},
			columnHostZone:  {Text: term.OrNone(h.Zone)},
		})
	}
	return t
}

// hostState returns the state of a host, how sure it is, and whether a part of what it rests on is old.
func hostState(h *collector.Host) string {
	words := []string{h.Verdict().String()}
	if h.IsDown() {
		words = append(words, string(h.Certainty()))
	}
	if !h.IsCurrent() {
		words = append(words, "retained")
	}
	return strings.Join(words, ", ")
}

// downOn returns the groups whose members on a host are down, each with the cause, or suspected.
func downOn(h *collector.Host) string {
	var parts []string
	for i := range h.Members {
		switch m := &h.Members[i]; {
		case m.DecidedDown:
			parts = append(parts, m.Group+": "+string(m.Cause))
		case m.Suspected && m.InService:
			parts = append(parts, m.Group+": suspected")
		}
	}
	return strings.Join(parts, ", ")
}
