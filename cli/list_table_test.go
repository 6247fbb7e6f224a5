package cli

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/cli/term"
	"servicegroup_exporter/collector"
	"servicegroup_exporter/drivers"
)

// listed returns the row of a member in a poll a minute after the command began, when the backend's clock is ten seconds
// ahead.
func listed(m collector.MemberState) listRow {
	began := time.Date(2026, 11, 25, 3, 0, 0, 0, time.UTC)
	s := &collector.Snapshot{
		Source: "s", Readable: true, LastSuccess: began.Add(time.Minute), ClockOffset: 10 * time.Second,
		Members: []collector.MemberState{m},
	}
	rows, _ := listRows([]collector.Snapshot{*s}, "", began)
	return rows[0]
}

func at(hour, minute, second int) time.Time {
	return time.Date(2026, 11, 25, hour, minute, second, 0, time.UTC)
}

func TestAges(t *testing.T) {
	for _, c := range []struct {
		name             string
		beat, since      time.Time
		down             time.Time
		isKnown          bool
		state, heartbeat string
	}{
		{"by the backend's clock", at(3, 1, 7), time.Time{}, time.Time{}, false, "down", "3s ago"},
		{"no heartbeat", time.Time{}, time.Time{}, time.Time{}, false, "down", "-"},
		{"a clock that is a little ahead", at(3, 1, 10).Add(999 * time.Millisecond), time.Time{}, time.Time{}, false, "down", "0s ago"},
		{"a clock that is ahead", at(3, 1, 15), time.Time{}, time.Time{}, false, "down", "5s ahead"},
		{"first seen by this command", at(3, 1, 10), at(3, 0, 1), at(3, 0, 1), false, "down", "0s ago"},
		{"dead before this command", at(2, 51, 10), at(3, 0, 1), at(2, 51, 0), true, "down 10m", "10m ago"},
		{"remembered", at(1, 0, 10), at(1, 0, 0), at(1, 0, 0), true, "down 2h1m", "2h1m ago"},
		{"remembered, and its last proof of life", at(1, 0, 10), at(1, 1, 0), at(1, 0, 0), true, "down 2h1m", "2h1m ago"},
		{"remembered without a proof of life", at(3, 1, 10), at(1, 0, 0), at(1, 0, 0), false, "down ≥2h1m", "0s ago"},
	} {
		m := collector.MemberState{State: collector.Down, Since: c.since, DownSince: c.down, DownSinceKnown: c.isKnown}
		m.LastHeartbeat = c.beat
		row := listed(m)
		require.Equal(t, c.state, row.stateAndAge(), c.name)
		require.Equal(t, c.heartbeat, row.heartbeatAge(), c.name)
	}
}

func TestStyles(t *testing.T) {
	look := func(m collector.MemberState) [2]term.Style {
		row := listed(m)
		cells := row.cells(true)
		return [2]term.Style{cells[columnState].Style, cells[columnAdmin].Style}
	}
	require.Equal(t, [2]term.Style{term.Green, term.Plain}, look(collector.MemberState{State: collector.Up}))
	require.Equal(t, [2]term.Style{term.Yellow, term.Plain}, look(collector.MemberState{State: collector.Unknown}))
	require.Equal(t, [2]term.Style{term.Red, term.Yellow}, look(collector.MemberState{
		State: collector.Down, Member: drivers.Member{ForcedDown: drivers.FlagYes, Enabled: drivers.FlagYes},
	}))
	require.Equal(t, [2]term.Style{term.Green, term.Yellow}, look(collector.MemberState{
		State: collector.Up, Member: drivers.Member{ForcedDown: drivers.FlagNo, Enabled: drivers.FlagNo},
	}))
}

func TestSummary(t *testing.T) {
	for want, states := range map[string][]string{
		"0 members\n":                          nil,
		"1 member: 1 down\n":                   {"down"},
		"4 members: 2 up, 1 down, 1 unknown\n": {"up", "unknown", "down", "up"},
		"2 members: 2 unknown\n":               {"unknown", "unknown"},
	} {
		var out bytes.Buffer
		require.NoError(t, printSummary(term.New(&out, "never"), "member", states))
		require.Equal(t, want, out.String())
	}
}
