package mc

import (
	"cmp"
	"context"
	"slices"

	"servicegroup_exporter/drivers"
)

// A list is a roster that the configuration lists.
type list struct{ poll drivers.Poll }

// List returns a roster of the named members of each group. They have no attributes.
func List(members map[string][]string) drivers.Driver {
	l := &list{}
	for group, names := range members {
		for _, name := range names {
			l.poll.Members = append(l.poll.Members, drivers.Member{Group: group, Name: name, Rostered: true})
		}
	}
	slices.SortFunc(l.poll.Members, func(a, b drivers.Member) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Name, b.Name))
	})
	return l
}

// Members implements [drivers.Driver].
func (l *list) Members(context.Context) (*drivers.Poll, error) { return &l.poll, nil }

// Close implements [drivers.Driver]. It does nothing.
func (l *list) Close() error { return nil }
