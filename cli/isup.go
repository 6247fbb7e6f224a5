package cli

import (
	"fmt"

	"servicegroup_exporter/collector"
	"servicegroup_exporter/drivers"
)

func (a *app) isUpCommand() command {
	c := a.kingpin.Command("is-up", "Says whether a member is up: exit code 0 up, 1 down, 3 unknown.")
	group := c.Arg("group", "The group.").Required().String()
	member := c.Arg("member", "The member.").Required().String()
	flags := addSourceFlags(c)
	return func() error { return a.isUp(*group, *member, flags) }
}

// isUp prints the verdict of one word. A member that the group does not have is not up, as in ZooKeeper's driver of
// Nova, and is told from a dead one by the message.
func (a *app) isUp(group, member string, flags *sourceFlags) error {
	snapshot, err := a.readOne(flags)
	if err != nil {
		return err
	}
	for i := range snapshot.Members {
		m := &snapshot.Members[i]
		if m.Group != group || m.Name != member {
			continue
		}
		fmt.Fprintln(a.Stdout, m.State)
		switch m.State {
		case collector.Up:
			return nil
		case collector.Down:
			return &exitError{exitFailure, nil}
		default:
			return &exitError{exitUnknown, fmt.Errorf("source %s was away, and has not heard from the member since", snapshot.Source)}
		}
	}
	return fmt.Errorf("group %q, member %q: %w", group, member, drivers.ErrNoMember)
}
