package collector

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

// The error of a name that does not exist says which names do.
func TestNoMember(t *testing.T) {
	state := func(group, name string) MemberState {
		var m MemberState
		m.Group, m.Name = group, name
		return m
	}
	snapshots := []Snapshot{
		{Members: []MemberState{state("compute", "cmp-01"), state("compute", "cmp-02"), state("scheduler", "ctl-01")}},
		{Members: []MemberState{state("volume", "ctl-01")}},
	}
	for _, test := range []struct{ group, member, want string }{
		{"compute", "cmp-1", `group "compute", member "cmp-1": no such member; did you mean "cmp-01"?`},
		{"compute", "cmp_02", `group "compute", member "cmp_02": no such member; did you mean "cmp-02"?`},
		{"compute", "other", `group "compute", member "other": no such member`},
		{"volume", "compute-01", `group "volume", member "compute-01": no such member`},
		{"computes", "cmp-01", `group "computes": no such group: the groups are compute, scheduler, volume; did you mean "compute"?`},
		{"sched", "", `group "sched": no such group: the groups are compute, scheduler, volume; did you mean "scheduler"?`},
		{"none\n", "", `group "none\n": no such group: the groups are compute, scheduler, volume`},
	} {
		err := NoMember(snapshots, test.group, test.member)
		require.EqualError(t, err, test.want)
		require.Equal(t, HasGroup(snapshots, test.group), !isNoGroup(err))
	}
	require.EqualError(t, NoMember(nil, "compute", ""), `group "compute": no such group: there are no groups`)
	var many Snapshot
	for i := range 25 {
		many.Members = append(many.Members, state(fmt.Sprintf("g%02d", i), "m"))
	}
	require.ErrorContains(t, NoMember([]Snapshot{many}, "x", ""), "g18, g19 and 5 more")
}

func isNoGroup(err error) bool { return errors.Is(err, drivers.ErrNoGroup) }
