package cli

import (
	"fmt"
	"strings"

	"servicegroup_exporter/collector"
)

func (a *cli) isUpCommand() command {
	c := a.kingpin.Command("is-up", "Print whether a member is up. The exit code is 0 for up, 1 for down, 3 for unknown and 4 if there is no such member.")
	group := c.Arg("group", "Name of the group.").Required().String()
	member := c.Arg("member", "Name of the member.").Required().String()
	flags := addSourceFlags(c)
	return func() error { return a.isUp(*group, *member, flags) }
}

// isUp prints the state of a member. A member that the group does not have is not up, as in Nova's ZooKeeper driver; an
// error tells it from a member that is down.
func (a *cli) isUp(group, member string, flags *sourceFlags) error {
	snapshots, err := a.readOne(flags)
	if err != nil {
		return err
	}
	var state collector.State
	var sources []string
	for i := range snapshots {
		for j := range snapshots[i].Members {
			if m := &snapshots[i].Members[j]; snapshots[i].Readable && m.Group == group && m.Name == member {
				state, sources = m.State, append(sources, snapshots[i].Source)
			}
		}
	}
	switch {
	case len(sources) == 1:
		fmt.Fprintln(a.Stdout, state)
		return isUpCode(state, sources[0])
	case len(sources) > 1:
		return usageError("several sources (%s) have this member: choose one with --source", strings.Join(sources, ", "))
	}
	if err := firstUnreadable(snapshots); err != nil {
		return err
	}
	return noMember(snapshots, group, member)
}

// isUpCode returns the error with the exit code of a state.
func isUpCode(state collector.State, source string) error {
	switch state {
	case collector.Up:
		return nil
	case collector.Down:
		return &exitError{exitFailure, nil}
	default:
		return &exitError{exitUnknown, fmt.Errorf("the state is unknown: source %s could not be read for a time, and the member has not reported since", source)}
	}
}
