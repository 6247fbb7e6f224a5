package zk

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk/layout"
	"servicegroup_exporter/drivers/zk/session"
)

// unfit is what a group has that the configured layout does not take for members.
type unfit struct {
	child  string // the name of one such child; empty: there is none
	other  bool   // another of this program's own layouts would take some of them for members
	prefix bool   // one of them is a roster, so that the group is itself a prefix
}

func (u *unfit) add(c *child) {
	u.child = cmp.Or(u.child, c.name)
	u.other = u.other || c.kind == kindFlat || c.kind == kindNested || c.kind == kindOutside
	u.prefix = u.prefix || c.name == rosterDir
}

// addProblems adds what is probably not as it was meant to a poll of groups that could be read.
func (d *Driver) addProblems(ctx context.Context, r *groupReader, groups []*group, poll *drivers.Poll) error {
	d.hadMembers = d.hadMembers || len(poll.Members) > 0
	absent := d.absentGroups(groups)
	if len(absent) > 0 || len(d.config.Groups) == 0 && !r.found {
		before := len(poll.Problems)
		if err := d.addAbsentRoot(ctx, r.Reader, poll); err != nil || len(poll.Problems) > before {
			return err
		}
	}
	if len(absent) > 0 {
		exist, err := layout.ListAllowed(ctx, r.Reader, d.paths.prefix())
		if err != nil {
			return err
		}
		exist = slices.DeleteFunc(exist, func(name string) bool { return strings.HasPrefix(name, ".") })
		for _, name := range absent {
			poll.Problems = append(poll.Problems, layout.AbsentGroup(name, d.paths.prefix(), exist))
		}
	}
	for _, g := range groups {
		g.hadMembers = g.hadMembers || len(g.result.members) > 0
		if detail := d.misfit(g); detail != "" {
			poll.Problems = append(poll.Problems, drivers.Problem{Kind: drivers.ProblemUnmatched, Group: g.name, Detail: detail})
		}
	}
	if len(poll.Problems) == 0 && !d.hadMembers {
		poll.Problems = d.nothingFits(groups)
	}
	return nil
}

// absentGroups returns the configured groups that don't exist.
func (d *Driver) absentGroups(groups []*group) []string {
	var absent []string
	for _, g := range groups {
		if len(d.config.Groups) > 0 && !g.live.Exists() && !g.roster.Exists() {
			absent = append(absent, g.name)
		}
	}
	return absent
}

// misfit returns what is wrong with a group that has children and never had members, empty if nothing is.
func (d *Driver) misfit(g *group) string {
	u, path := &g.result.unfit, d.paths.group(g.name)
	switch {
	case u.prefix:
		return fmt.Sprintf("%s has a child %s, so that it is the parent of groups and not a group. Set prefix to %[1]s.", path, rosterDir)
	case g.hadMembers || u.child == "" || !u.other && len(d.config.Groups) == 0:
		return ""
	case u.other:
		return fmt.Sprintf("The group %s has children, but by the layout %s none of them is a member, for example %s/%s. Set layout to %s.",
			g.name, d.config.Layout, path, u.child, LayoutAuto)
	default:
		return fmt.Sprintf("The group %s has children, but none of them is a member: %s/%s, for example, is a persistent znode without "+
			"the data %q. Correct prefix, layout or groups.", g.name, path, u.child, membersValue)
	}
}

// nothingFits returns the problem of a tree that has znodes where groups are expected, of which none has ever had a member.
func (d *Driver) nothingFits(groups []*group) []drivers.Problem {
	for _, g := range groups {
		detail, path := "", d.paths.group(g.name)
		switch {
		case g.live.Stat.EphemeralOwner != 0:
			detail = fmt.Sprintf("%s is an ephemeral znode and no group: the prefix %s is probably a group. Set prefix to the parent of the groups.",
				path, d.paths.prefix())
		case g.result.unfit.child != "":
			detail = fmt.Sprintf("There are znodes below %s, but by the layout %s none of them is a member, for example %s/%s. Correct "+
				"prefix or layout.", d.paths.prefix(), d.config.Layout, path, g.result.unfit.child)
		default:
			continue
		}
		return []drivers.Problem{{Kind: drivers.ProblemUnmatched, Detail: detail}}
	}
	return nil
}

// addAbsentRoot adds that the path below which the layout begins does not exist, if it does not.
func (d *Driver) addAbsentRoot(ctx context.Context, r *session.Reader, poll *drivers.Poll) error {
	setting, path := "prefix", d.paths.prefix()
	exists, err := layout.Exists(ctx, r, path)
	if err != nil || exists {
		return err
	}
	if chroot := strings.TrimSuffix(d.config.Chroot, "/"); chroot != "" {
		if exists, err = layout.Exists(ctx, r, chroot); err != nil {
			return err
		}
		if !exists {
			setting, path = "chroot", chroot
		}
	}
	above, names, err := layout.Above(ctx, r, path)
	if err != nil {
		return err
	}
	detail := fmt.Sprintf("The %s %s does not exist in ZooKeeper: %s has %s. Correct %[1]s", setting, path, above, names)
	if d.tree == nil {
		detail += ", or join the first member, which creates it"
	}
	poll.Problems = append(poll.Problems, drivers.Problem{Kind: drivers.ProblemAbsent, Detail: detail + "."})
	return nil
}
