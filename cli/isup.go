package cli

import (
	"fmt"
	"strings"

	"servicegroup_exporter/collector"
	"servicegroup_exporter/drivers"
)

func (a *cli) isUpCommand() command {
	c := a.kingpin.Command("is-up", "Says whether a member is up: exit code 0 up, 1 down, 3 unknown.")
	group := c.Arg("group", "The group.").Required().String()
	member := c.Arg("member", "The member.").Required().String()
	flags := addSourceFlags(c)
	return func() error { return a.isUp(*group, *member, flags) }
}

// isUp prints the verdict of one word. A member that the group does not have is not up, as in ZooKeeper's driver of
// Nova, and is told from a dead one by the message.
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
		return usageError("several sources have it: name one with --source (%s)", strings.Join(sources, ", "))
	}
	if err := firstUnreadable(snapshots); err != nil {
		return err
	}
	return fmt.Errorf("group %q, member %q: %w", group, member, drivers.ErrNoMember)
}

// isUpCode turns a state into the exit code.
func isUpCode(state collector.State, source string) error {
	switch state {
	case collector.Up:
		return nil
	case collector.Down:
		return &exitError{exitFailure, nil}
	default:
		return &exitError{exitUnknown, fmt.Errorf("source %s was away, and has not heard from the member since", source)}
	}
}
