package collector

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

// The error of a name that does not exist says which names do.
func TestNoMember(t *testing.T) {
	snapshot := func(groups ...string) Snapshot {
		var s Snapshot
		for _, group := range groups {
			name, members, _ := strings.Cut(group, ": ")
			s.Groups = append(s.Groups, GroupState{Name: name})
			for member := range strings.FieldsSeq(members) {
				s.Members = append(s.Members, MemberState{Member: drivers.Member{Group: name, Name: member}})
			}
		}
		return s
	}
	snapshots := []Snapshot{snapshot("compute: cmp-01 cmp-02", "scheduler: ctl-01"), snapshot("volume: ctl-01")}
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
	var many []Snapshot
	for i := range 25 {
		many = append(many, snapshot(fmt.Sprintf("g%02d", i)))
	}
	require.ErrorContains(t, NoMember(many, "x", ""), "g18, g19 and 5 more")

	locked := snapshot("locked", "open: a")
	locked.Problems = []drivers.Problem{{Kind: drivers.ProblemUnreadable, Group: "locked", Detail: "Its ACL does not allow READ."}}
	err := NoMember([]Snapshot{locked}, "locked", "a")
	require.ErrorIs(t, err, drivers.ErrUnavailable)
	require.ErrorContains(t, err, `group "locked" can't be read: Its ACL does not allow READ.`)
}

func isNoGroup(err error) bool { return errors.Is(err, drivers.ErrNoGroup) }
