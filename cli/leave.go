package cli

import "context"

func (a *cli) leaveCommand() command {
	c := a.kingpin.Command("leave", "Remove a member from a group on purpose, so that its absence does not count as a death.")
	group := c.Arg("group", "Name of the group.").Required().String()
	member := c.Arg("member", "Name of the member.").Required().String()
	flags := addSourceFlags(c)
	return func() error { return a.leave(*group, *member, flags) }
}

func (a *cli) leave(group, member string, flags *sourceFlags) error {
	ctx, stop := a.untilStopped()
	defer stop()
	driver, joiner, err := a.joiner(ctx, flags)
	if err != nil {
		return err
	}
	defer driver.Close()
	ctx, cancel := context.WithTimeout(ctx, flags.timeout)
	defer cancel()
	defer a.waiting(flags.timeout, "removing %s/%s", group, member)()
	return joiner.Leave(ctx, group, member)
}
