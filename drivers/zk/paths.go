package zk

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"servicegroup_exporter/drivers/zk/layout"
)

// rosterDir is the child of the prefix that holds the roster. Names that begin with a dot are never groups.
const rosterDir = ".roster"

// checkMember says why a name can't be a member's.
func checkMember(name string) error {
	if err := layout.CheckName(name); err != nil {
		return fmt.Errorf("the member's name %q %w", name, err)
	}
	return nil
}

// checkGroup says why a name can't be a group's.
func checkGroup(name string) error {
	if err := layout.CheckName(name); err != nil {
		return fmt.Errorf("the group's name %q %w", name, err)
	}
	if strings.HasPrefix(name, ".") {
		return fmt.Errorf("the group's name %q begins with a dot, as only bookkeeping does", name)
	}
	return nil
}

func checkNames(group, member string) error {
	return errors.Join(checkGroup(group), checkMember(member))
}

// paths knows where everything is. Its value is the prefix without a slash at its end.
type paths string

func (p paths) prefix() string                   { return cmp.Or(string(p), "/") }
func (p paths) roster() string                   { return string(p) + "/" + rosterDir }
func (p paths) group(group string) string        { return string(p) + "/" + group }
func (p paths) rosterGroup(group string) string  { return p.roster() + "/" + group }
func (p paths) member(group, name string) string { return p.group(group) + "/" + name }
func (p paths) record(group, name string) string { return p.rosterGroup(group) + "/" + name }

// A seat is where a member is: its own znode and its record.
type seat struct{ node, record string }

func (p paths) seat(group, name string) seat {
	return seat{p.member(group, name), p.record(group, name)}
}
