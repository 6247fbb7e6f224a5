package nova

import (
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/db"
)

func member(group, name string, up bool) drivers.Member {
	return drivers.Member{Group: group, Name: name, Up: up}
}

// Problems of roster and liveness are both told, and so is that the two have no member in common.
func TestLivenessProblems(t *testing.T) {
	foreign, absent := drivers.Problem{Kind: drivers.ProblemForeign}, drivers.Problem{Kind: drivers.ProblemAbsent}
	for name, test := range map[string]struct {
		roster, liveness []drivers.Member
		unmatched        bool
	}{
		"the same":             {[]drivers.Member{member("compute", "a", false)}, []drivers.Member{member("compute", "a", true)}, false},
		"one of several":       {[]drivers.Member{member("compute", "a", false), member("compute", "b", false)}, []drivers.Member{member("compute", "b", true)}, false},
		"nothing is alive":     {[]drivers.Member{member("compute", "a", false)}, nil, false},
		"an empty roster":      {nil, []drivers.Member{member("compute", "a", true)}, false},
		"full and short names": {[]drivers.Member{member("compute", "a.example.org", false)}, []drivers.Member{member("compute", "a", true)}, true},
		"other groups":         {[]drivers.Member{member("compute", "a", false)}, []drivers.Member{member("conductor", "a", true)}, true},
		"another installation": {[]drivers.Member{member("compute", "a", false)}, []drivers.Member{member("compute", "x", true), member("compute", "y", true)}, true},
	} {
		t.Run(name, func(t *testing.T) {
			roster := &fixed{poll: drivers.Poll{Members: test.roster, Problems: []drivers.Problem{foreign}}}
			liveness := &fixed{poll: drivers.Poll{Members: test.liveness, Problems: []drivers.Problem{absent}}}
			poll, err := WithLiveness(roster, liveness).Members(t.Context())
			require.NoError(t, err)
			require.Equal(t, []drivers.Problem{foreign, absent}, poll.Problems[:2])
			require.Equal(t, test.unmatched, len(poll.Problems) == 3)
			if test.unmatched {
				require.Equal(t, drivers.ProblemUnmatched, poll.Problems[2].Kind)
			}
		})
	}
}

// A member whose group can't be read in ZooKeeper, or whose znode says nothing, is unknown and not dead.
func TestLivenessUnknown(t *testing.T) {
	forced := member("locked", "forced", false)
	forced.ForcedDown = drivers.FlagYes
	roster := &fixed{poll: drivers.Poll{Members: []drivers.Member{
		member("compute", "a", true), member("locked", "b", true), forced, member("compute", "odd", true), member("compute", "dead", true),
	}}}
	liveness := &fixed{poll: drivers.Poll{
		Members: []drivers.Member{member("compute", "a", true)}, Unknown: []drivers.Member{member("compute", "odd", false)},
		UnreadableGroups: []string{"locked"},
	}}
	poll, err := WithLiveness(roster, liveness).Members(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"locked"}, poll.UnreadableGroups)
	require.Equal(t, []drivers.Member{member("locked", "b", false), member("compute", "odd", false)}, poll.Unknown)
	require.Equal(t, []drivers.Member{member("compute", "a", true), forced, member("compute", "dead", false)}, poll.Members)
}

func TestOnlyCell0(t *testing.T) {
	for name, test := range map[string]struct {
		cells   []db.Cell
		problem bool
	}{
		"none yet": {nil, false},
		"cell0":    {[]db.Cell{{Name: "cell0"}}, true},
		"cell1":    {[]db.Cell{{Name: "cell1"}}, false},
		"both":     {[]db.Cell{{Name: "cell0"}, {Name: "cell1"}}, false},
	} {
		require.Equal(t, test.problem, len(onlyCell0(test.cells)) == 1, name)
	}
}
