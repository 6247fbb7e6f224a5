package cli

import (
	"fmt"
	"strings"
	"time"

	"servicegroup_exporter/cli/term"
	"servicegroup_exporter/collector"
)

// The columns of the table of members.
const (
	columnSource = iota
	columnGroup
	columnMember
	columnState
	columnHeartbeat
	columnBinary
	columnZone
	columnAdmin
)

// printTable prints the rows completely, or on a terminal with ages instead of times and as far as they fit.
func printTable(s *term.Screen, rows []listRow) error {
	t := &term.Table{
		Titles: []string{"SOURCE", "GROUP", "MEMBER", "STATE", "LAST HEARTBEAT", "BINARY", "ZONE", "ADMIN"},
		// The reason for disabling a member can be long, the binary usually follows from the group, and the name of the
		// member is needed most.
		Shrinks: []term.Shrink{
			{Column: columnAdmin, Min: 24},
			{Column: columnBinary, Min: 0},
			{Column: columnMember, Min: 32},
			{Column: columnAdmin, Min: 11},
			{Column: columnZone, Min: 0},
			{Column: columnGroup, Min: 12},
			{Column: columnSource, Min: 10},
			{Column: columnMember, Min: 16},
			{Column: columnGroup, Min: 6},
			{Column: columnAdmin, Min: 5},
			{Column: columnMember, Min: 8},
		},
	}
	if s.IsTerminal() {
		t.Titles[columnHeartbeat] = "SEEN"
	}
	for i := range rows {
		t.Rows = append(t.Rows, rows[i].cells(s.IsTerminal()))
	}
	return t.Print(s)
}

func (r *listRow) cells(ages bool) []term.Cell {
	state, heartbeat := r.State, orDash(r.LastHeartbeat)
	if ages {
		state, heartbeat = r.stateAndAge(), r.heartbeatAge()
	}
	return []term.Cell{
		columnSource:    {Text: term.Printable(r.Source)},
		columnGroup:     {Text: term.Printable(r.Group)},
		columnMember:    {Text: term.Printable(r.Member)},
		columnState:     {Text: state, Style: stateStyle(r.State)},
		columnHeartbeat: {Text: heartbeat},
		columnBinary:    {Text: term.OrNone(r.Binary)},
		columnZone:      {Text: term.OrNone(r.Zone)},
		columnAdmin:     {Text: term.Printable(r.admin()), Style: r.adminStyle()},
	}
}

// stateAndAge returns the state, and how long the member has been in it if that is known. "≥" stands before the age of a member
// that may have been down for longer.
func (r *listRow) stateAndAge() string {
	isKnown := r.SinceKnown != nil && *r.SinceKnown
	if r.Since == nil || !isKnown && !r.fromStateFile {
		return r.State
	}
	age := term.Duration(max(0, r.polled.Sub(*r.Since)))
	if r.SinceKnown != nil && !isKnown {
		age = "≥" + age
	}
	return r.State + " " + age
}

func (r *listRow) heartbeatAge() string {
	switch {
	case r.LastHeartbeat == nil:
		return term.None
	case r.LastHeartbeat.Sub(r.backendNow) >= time.Second:
		return term.Duration(r.LastHeartbeat.Sub(r.backendNow)) + " ahead"
	default:
		return term.Duration(max(0, r.backendNow.Sub(*r.LastHeartbeat))) + " ago"
	}
}

func stateStyle(state string) term.Style {
	switch state {
	case collector.Up.String():
		return term.Green
	case collector.Down.String():
		return term.Red
	default:
		return term.Yellow
	}
}

// admin returns what an operator decided about the member.
func (r *listRow) admin() string {
	switch {
	case r.ForcedDown != nil && *r.ForcedDown:
		return "forced down"
	case r.Enabled == nil:
		return term.None
	case !*r.Enabled && r.DisabledReason != "":
		return "disabled: " + r.DisabledReason
	case !*r.Enabled:
		return "disabled"
	default:
		return "enabled"
	}
}

func (r *listRow) adminStyle() term.Style {
	if r.ForcedDown != nil && *r.ForcedDown || r.Enabled != nil && !*r.Enabled {
		return term.Yellow
	}
	return term.Plain
}

func orDash(t *time.Time) string {
	if t == nil {
		return term.None
	}
	return t.Format("2006-01-02T15:04:05.000Z")
}

// printSummary prints how many members or hosts there are in each state. The states have one element for each of them.
func printSummary(s *term.Screen, thing string, states []string) error {
	count := map[string]int{}
	for _, state := range states {
		count[state]++
	}
	line := fmt.Sprintf("%d %ss", len(states), thing)
	if len(states) == 1 {
		line = "1 " + thing
	}
	var parts []string
	for _, state := range []string{collector.Up.String(), collector.Down.String(), collector.Unknown.String()} {
		if n := count[state]; n > 0 {
			parts = append(parts, s.Paint(fmt.Sprintf("%d %s", n, state), stateStyle(state)))
		}
	}
	if len(parts) > 0 {
		line += ": " + strings.Join(parts, ", ")
	}
	_, err := fmt.Fprintln(s, line)
	return err
}
