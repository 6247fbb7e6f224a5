package cli

import "context"

func (a *cli) leaveCommand() command {
	c := a.kingpin.Command("leave", "Removes a member on purpose, so that it is neither up nor dead.")
	group := c.Arg("group", "The group.").Required().String()
	member := c.Arg("member", "The member.").Required().String()
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
	return joiner.Leave(ctx, group, member)
}
