package zk

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"servicegroup_exporter/drivers/zk/layout"
)

// rosterDir is the child of the prefix with the roster. A name that begins with a dot is never a group.
const rosterDir = ".roster"

// checkMember returns an error if a member can't have the name.
func checkMember(name string) error {
	if err := layout.CheckName(name); err != nil {
		return fmt.Errorf("the member's name %q %w", name, err)
	}
	return nil
}

// checkGroup returns an error if a group can't have the name.
func checkGroup(name string) error {
	if err := layout.CheckName(name); err != nil {
		return fmt.Errorf("the group's name %q %w", name, err)
	}
	if strings.HasPrefix(name, ".") {
		return fmt.Errorf("the group's name %q begins with a dot, which is reserved for this program's own znodes", name)
	}
	return nil
}

func checkNames(group, member string) error {
	return errors.Join(checkGroup(group), checkMember(member))
}

// paths is the prefix, without a slash at its end. Its methods return the paths of znodes.
type paths string

func (p paths) prefix() string                   { return cmp.Or(string(p), "/") }
func (p paths) roster() string                   { return string(p) + "/" + rosterDir }
func (p paths) group(group string) string        { return string(p) + "/" + group }
func (p paths) rosterGroup(group string) string  { return p.roster() + "/" + group }
func (p paths) member(group, name string) string { return p.group(group) + "/" + name }
func (p paths) record(group, name string) string { return p.rosterGroup(group) + "/" + name }

// memberPaths are the paths of a member's ephemeral znode and of its record.
type memberPaths struct{ node, record string }

func (p paths) ofMember(group, name string) memberPaths {
	return memberPaths{p.member(group, name), p.record(group, name)}
}
