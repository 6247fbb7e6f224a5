package layout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	zkclient "github.com/go-zookeeper/zk"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk/session"
)

// Denied returns the problem of a group that may not be read.
func Denied(group string, err error) drivers.Problem {
	return drivers.Problem{
		Kind: drivers.ProblemUnreadable, Group: group,
		Detail: fmt.Sprintf("The group %s can't be read, so that its members are unknown: %v.", group, err),
	}
}

// AbsentGroup returns the problem of a configured group that does not exist below a path, which has other names.
func AbsentGroup(group, below string, names []string) drivers.Problem {
	exist := "nothing"
	if len(names) > 0 {
		exist = drivers.Some(names)
	}
	return drivers.Problem{
		Kind: drivers.ProblemAbsent, Group: group,
		Detail: fmt.Sprintf("The group %s does not exist: below %s there is %s. Correct groups.", group, below, exist),
	}
}

// Exists reports whether a znode exists.
func Exists(ctx context.Context, r *session.Reader, name string) (bool, error) {
	_, err := r.Stat(ctx, name)
	if errors.Is(err, zkclient.ErrNoNode) {
		return false, nil
	}
	if err != nil {
		return false, session.Unavailable("reading "+name, err)
	}
	return true, nil
}

// ListAllowed returns the names of a znode's children, none if it does not exist or may not be read. It sets no watch.
func ListAllowed(ctx context.Context, r *session.Reader, name string) ([]string, error) {
	names, err := r.List(ctx, name)
	if errors.Is(err, zkclient.ErrNoNode) || errors.Is(err, zkclient.ErrNoAuth) {
		return nil, nil
	}
	if err != nil {
		return nil, session.Unavailable("reading "+name, err)
	}
	return names, nil
}

// Above returns the nearest path above a znode that exists, and its children as text.
func Above(ctx context.Context, r *session.Reader, name string) (above, children string, err error) {
	for above = path.Dir(name); above != "/"; above = path.Dir(above) {
		exists, err := Exists(ctx, r, above)
		if err != nil {
			return "", "", err
		}
		if exists {
			break
		}
	}
	names, err := ListAllowed(ctx, r, above)
	return above, cmp.Or(drivers.Some(names), "no children that may be listed"), err
}

// firstUnfit returns the first znode where a member is expected and that is none, by its name or because it is persistent.
func (t *Tree) firstUnfit(live []directory, nodes []memberNode) string {
	for i := range nodes {
		if n := &nodes[i]; n.node.Exists && n.node.Owner == 0 && !t.persistent {
			return n.path
		}
	}
	for i := range live {
		for _, name := range live[i].list.Names {
			if t.naming.matchName(name) == nil {
				return live[i].path + "/" + name
			}
		}
	}
	return ""
}

// addProblems adds what is probably not as it was meant to a poll.
func (t *Tree) addProblems(ctx context.Context, w *walk, poll *drivers.Poll) error {
	for _, group := range slices.Sorted(maps.Keys(t.last.denied)) {
		poll.UnreadableGroups = append(poll.UnreadableGroups, group)
		poll.Problems = append(poll.Problems, Denied(group, t.last.denied[group]))
	}
	t.hadMembers = t.hadMembers || len(poll.Members)+len(poll.Unknown) > 0
	if err := t.addAbsent(ctx, w, poll); err != nil || len(poll.Problems) > 0 || t.hadMembers {
		return err
	}
	if unfit := t.last.unfit; unfit != "" {
		poll.Problems = append(poll.Problems, drivers.Problem{
			Kind: drivers.ProblemUnmatched,
			Detail: fmt.Sprintf("There are znodes where the layout has members, but none of them is one: %s, for example, is persistent, or its "+
				"name does not match. Correct prefix or layout.", unfit),
		})
	}
	return nil
}

// addAbsent adds the configured groups that don't exist, or that the whole tree has nothing where the layout has members.
func (t *Tree) addAbsent(ctx context.Context, w *walk, poll *drivers.Poll) error {
	exist := make(map[string]bool)
	for _, d := range append(slices.Clone(t.last.live), t.last.roster...) {
		if d.list.Exists() {
			exist[d.group] = true
		}
	}
	if len(exist) == 0 && len(t.last.denied) == 0 {
		exists, err := Exists(ctx, w.reader, cmp.Or(t.root, "/"))
		if err != nil || !exists {
			return err // The driver finds out what is absent.
		}
		problem, err := t.nothing(ctx, w)
		if problem != nil {
			poll.Problems = append(poll.Problems, *problem)
		}
		if err != nil || problem != nil {
			return err
		}
	}
	for _, group := range t.groups {
		if !exist[group] && t.last.denied[group] == nil {
			poll.Problems = append(poll.Problems, AbsentGroup(group, cmp.Or(t.root, "/"), slices.Sorted(maps.Keys(exist))))
		}
	}
	return nil
}

// nothing returns the problem of a tree without any directory where the layout has members, nil if there is nothing at all below
// its root.
func (t *Tree) nothing(ctx context.Context, w *walk) (*drivers.Problem, error) {
	root := cmp.Or(t.root, "/")
	names, err := ListAllowed(ctx, w.reader, root)
	names = slices.DeleteFunc(names, func(name string) bool { return root == "/" && name == "zookeeper" })
	if err != nil || len(names) == 0 {
		return nil, err
	}
	var paths []string
	for _, p := range t.live {
		paths = append(paths, strings.Join(append([]string{t.root}, p.above...), "/"))
	}
	return &drivers.Problem{
		Kind: drivers.ProblemUnmatched,
		Detail: fmt.Sprintf("The layout has members in %s, and no such znode exists: below %s there is %s. Correct chroot, prefix, layout or groups.",
			drivers.Some(paths), root, drivers.Some(names)),
	}, nil
}
