package collector

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A host is up only if a member proves it in a source that was read recently, and what it rests on is old if a source was not.
func TestVerdict(t *testing.T) {
	member := func(change func(m *MemberState)) MemberState {
		m := memberOf("a", "c1", "")
		m.Host, m.State, m.InService = "c1", Up, true
		change(&m)
		return m
	}
	up := member(func(*MemberState) {})
	late := member(func(m *MemberState) { m.Late = true })
	suspected := member(func(m *MemberState) { m.Suspected = true })
	down := member(func(m *MemberState) { m.State, m.DecidedDown, m.DownSince = Down, true, time.Unix(1, 0) })
	unknown := member(func(m *MemberState) { m.State = Unknown })
	disabled := member(func(m *MemberState) { m.InService = false })
	read, lost, stale := Snapshot{Readable: true}, Snapshot{}, Snapshot{Readable: true, Stale: true}
	for name, test := range map[string]struct {
		a, b       MemberState
		of         Snapshot
		want       State
		certainty  Certainty
		notCurrent bool
	}{
		"all report":            {up, up, read, Up, "", false},
		"one reports":           {down, up, read, Up, "", false},
		"one out of service":    {down, disabled, read, Up, "", false},
		"confirmed":             {down, late, read, Down, Confirmed, false},
		"suspected":             {suspected, late, read, Down, Suspected, false},
		"late":                  {late, late, read, Unknown, "", false},
		"unknown":               {unknown, late, read, Unknown, "", false},
		"down, in a lost one":   {down, suspected, lost, Down, Confirmed, true},
		"unknown in a lost one": {unknown, unknown, lost, Unknown, "", true},
		"stale":                 {up, up, stale, Unknown, "", true},
	} {
		test.b.Group = "b"
		test.of.Members = []MemberState{test.a, test.b}
		found := Hosts([]Snapshot{test.of}, nil)
		require.Len(t, found, 1, name)
		require.Equal(t, test.want, found[0].Verdict(), name)
		require.Equal(t, test.certainty, found[0].Certainty(), name)
		require.Equal(t, test.notCurrent, !found[0].IsCurrent(), name)
	}
}
