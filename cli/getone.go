package cli

import (
	"fmt"
	"math/rand/v2"

	"servicegroup_exporter/cli/term"
	"servicegroup_exporter/collector"
)

func (a *cli) getOneCommand() command {
	c := a.kingpin.Command("get-one", "Print one member of a group, chosen at random among those that are up.")
	group := c.Arg("group", "Name of the group.").Required().String()
	flags := addSourceFlags(c)
	return func() error { return a.getOne(*group, flags) }
}

func (a *cli) getOne(group string, flags *sourceFlags) error {
	snapshots, err := a.readOne(flags)
	if err != nil {
		return err
	}
	var up []string
	for i := range snapshots {
		for j := range snapshots[i].Members {
			if m := &snapshots[i].Members[j]; m.Group == group && m.State == collector.Up {
				up = append(up, m.Name)
			}
		}
	}
	if len(up) == 0 {
		if err := firstUnreadable(snapshots); err != nil {
			return err
		}
		if !collector.HasGroup(snapshots, group) {
			return noMember(snapshots, group, "")
		}
		return fmt.Errorf("group %q has no live member", group)
	}
	fmt.Fprintln(a.Stdout, term.Printable(up[rand.IntN(len(up))]))
	return nil
}
