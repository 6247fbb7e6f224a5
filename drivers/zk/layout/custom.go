package layout

import (
	"errors"
	"slices"

	"servicegroup_exporter/drivers"
)

// Custom declares a layout: where the processes of another system are in the tree, and how their members are named. The
// presets are written in the same terms.
type Custom struct {
	// Paths are patterns of the znodes whose existence means that a member is alive, below chroot and prefix. Each level of
	// a pattern is a name, * for any name, {group}, or {member}. Only names may follow {member}. The name of a group with
	// several levels has slashes.
	Paths []string
	// Roster are patterns, which end in {member}, of znodes that stay when a member dies and are deleted when it is removed
	// on purpose. It is empty for systems without such znodes.
	Roster []string
	// Group is the group's name if the patterns have no {group}.
	Group string
	// Match is a regular expression for the whole name of the znode at {member}; empty for any name. A znode that does not
	// match is not a member.
	Match string
	// Name is the member's name. {1} stands for the first group of Match, {0} for the whole name, and {a.b} for the value
	// of b in the object a of the JSON in the znode. If it is empty, the name is the first group of Match that has matched
	// some text, or the whole name if Match has no groups. If no group has matched any text, the name is [Anonymous].
	Name string
	// Persistent means that persistent znodes are members, too. By default they are not.
	Persistent bool
	// Status is what the data of a member must say for the member to be up; nil: the znode's existence is enough.
	Status *Check
	// Enabled is what the data of a member says if no operator has disabled it; nil: the data does not say it.
	Enabled *Check
}

// Anonymous is the name of members whose znodes' names have only a random id. All of them in a group count as one member,
// which is up while any of them is.
const Anonymous = "anonymous"

// A Check compares a field of the JSON in a znode with values.
type Check struct {
	// Field is a key, or several keys joined by dots.
	Field string
	// Is are the values that mean yes. A field that does not exist means yes, too.
	Is []string
}

// matches reports whether the fields of a znode mean yes.
func (c *Check) matches(fields map[string]string) bool {
	value, exists := fields[c.Field]
	return !exists || slices.Contains(c.Is, value)
}

// Compile returns a Tree that reads the layout below root. If groups is not empty, it reads only these groups. The error
// joins one [drivers.FieldError] for each invalid setting.
func (c *Custom) Compile(root string, groups []string) (*Tree, error) {
	t := &Tree{root: root, group: c.Group, groups: groups, persistent: c.Persistent, status: c.Status, enabled: c.Enabled}
	var errs []error
	if len(c.Paths) == 0 {
		errs = append(errs, drivers.Field("custom.paths", "is empty: give the paths of members, for example /discovery/{group}/{member}"))
	}
	parse := func(setting string, texts []string) (all []pattern) {
		for _, text := range texts {
			p, err := c.parsePath(text, setting == "custom.roster")
			if err != nil {
				errs = append(errs, drivers.Field(setting, "%q: %w", text, err))
			}
			all = append(all, p)
		}
		return all
	}
	t.live, t.roster = parse("custom.paths", c.Paths), parse("custom.roster", c.Roster)
	var err error
	if t.naming, err = newNaming(c.Match, c.Name); err != nil {
		errs = append(errs, err)
	}
	if len(c.Roster) > 0 && len(t.naming.fields) > 0 {
		errs = append(errs, drivers.Field("custom.roster", "can't be used when custom.name has fields of the data"))
	}
	t.fields = slices.Clone(t.naming.fields)
	for _, s := range []struct {
		setting string
		check   *Check
	}{{"custom.status", c.Status}, {"custom.enabled", c.Enabled}} {
		if s.check != nil {
			errs = append(errs, s.check.validate(s.setting))
			t.fields = append(t.fields, s.check.Field)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return t, nil
}

// parsePath parses one pattern of Paths or Roster.
func (c *Custom) parsePath(text string, roster bool) (pattern, error) {
	p, err := parsePattern(text)
	switch {
	case err != nil:
		return p, err
	case !p.hasGroup() && c.Group == "":
		return p, errors.New("no level is {group}: add that level, or name the group by the setting group")
	case p.hasGroup() && c.Group != "":
		return p, errors.New("has a level {group} although the setting group names the group")
	case roster && p.tail != "":
		return p, errors.New("must end in {member}")
	}
	return p, nil
}

func (c *Check) validate(setting string) error {
	if err := checkField(c.Field); err != nil {
		return drivers.Field(setting+".field", "%w", err)
	}
	if len(c.Is) == 0 {
		return drivers.Field(setting+".is", "is empty: list the values that mean yes")
	}
	return nil
}
