package cli

import (
	"fmt"
	"strings"
	"time"

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

// printTable prints the rows in full, or on a terminal as people want to see them: ages, and what fits.
func printTable(s *screen, rows []listRow) error {
	t := &table{
		titles: []string{"SOURCE", "GROUP", "MEMBER", "STATE", "LAST HEARTBEAT", "BINARY", "ZONE", "ADMIN"},
		// A reason for being disabled can be long; the binary mostly follows from the group; the name is needed most.
		concessions: []concession{
			{columnAdmin, 24},
			{columnBinary, 0},
			{columnMember, 32},
			{columnAdmin, 11},
			{columnZone, 0},
			{columnGroup, 12},
			{columnSource, 10},
			{columnMember, 16},
			{columnGroup, 6},
			{columnAdmin, 5},
			{columnMember, 8},
		},
	}
	if s.terminal != nil {
		t.titles[columnHeartbeat] = "SEEN"
	}
	for i := range rows {
		t.rows = append(t.rows, rows[i].cells(s.terminal != nil))
	}
	return t.print(s)
}

func (r *listRow) cells(ages bool) []cell {
	state, heartbeat := r.State, orDash(r.LastHeartbeat)
	if ages {
		state, heartbeat = r.stateAndAge(), r.heartbeatAge()
	}
	return []cell{
		columnSource:    {text: printable(r.Source)},
		columnGroup:     {text: printable(r.Group)},
		columnMember:    {text: printable(r.Member)},
		columnState:     {state, stateStyle(r.State)},
		columnHeartbeat: {text: heartbeat},
		columnBinary:    {text: orNothing(r.Binary)},
		columnZone:      {text: orNothing(r.Zone)},
		columnAdmin:     {printable(r.admin()), r.adminStyle()},
	}
}

// stateAndAge is the state, and for how long the member has been in it where that is known from before.
func (r *listRow) stateAndAge() string {
	if r.Since == nil || !r.remembered {
		return r.State
	}
	return r.State + " " + short(max(0, r.polled.Sub(*r.Since)))
}

func (r *listRow) heartbeatAge() string {
	switch {
	case r.LastHeartbeat == nil:
		return nothing
	case r.LastHeartbeat.Sub(r.backendNow) >= time.Second:
		return short(r.LastHeartbeat.Sub(r.backendNow)) + " ahead"
	default:
		return short(max(0, r.backendNow.Sub(*r.LastHeartbeat))) + " ago"
	}
}

func stateStyle(state string) style {
	switch state {
	case collector.Up.String():
		return green
	case collector.Down.String():
		return red
	default:
		return yellow
	}
}

// admin is what an operator decided about a member, in words.
func (r *listRow) admin() string {
	switch {
	case r.ForcedDown != nil && *r.ForcedDown:
		return "forced down"
	case r.Enabled == nil:
		return nothing
	case !*r.Enabled && r.DisabledReason != "":
		return "disabled: " + r.DisabledReason
	case !*r.Enabled:
		return "disabled"
	default:
		return "enabled"
	}
}

func (r *listRow) adminStyle() style {
	if r.ForcedDown != nil && *r.ForcedDown || r.Enabled != nil && !*r.Enabled {
		return yellow
	}
	return plain
}

func orDash(t *time.Time) string {
	if t == nil {
		return nothing
	}
	return t.Format("2006-01-02T15:04:05.000Z")
}

// printSummary says how many there are, so that nobody has to count.
func printSummary(s *screen, rows []listRow) error {
	count := map[string]int{}
	for i := range rows {
		count[rows[i].State]++
	}
	line := fmt.Sprintf("%d members", len(rows))
	if len(rows) == 1 {
		line = "1 member"
	}
	var parts []string
	for _, state := range []string{collector.Up.String(), collector.Down.String(), collector.Unknown.String()} {
		if n := count[state]; n > 0 {
			parts = append(parts, s.paint(fmt.Sprintf("%d %s", n, state), stateStyle(state)))
		}
	}
	if len(parts) > 0 {
		line += ": " + strings.Join(parts, ", ")
	}
	_, err := fmt.Fprintln(s, line)
	return err
}
