package layout

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"servicegroup_exporter/drivers"
)

// Custom is the section "custom" of a source: where somebody else's processes are in the tree, and how they are called.
// The presets are written in the same terms.
type Custom struct {
	// Paths are patterns of the znodes whose presence says that a member is alive, below chroot and prefix. Each level is
	// a name, * for any, {group}, or {member}, which only names may follow. A group of several levels has a name with
	// slashes.
	Paths []string `yaml:"paths"`
	// Roster are patterns, which end in {member}, of znodes that stay when a member dies and go when it is removed on
	// purpose; empty where the system has none.
	Roster []string `yaml:"roster"`
	// Group is the group's name where the patterns have no {group}.
	Group string `yaml:"group"`
	// Match is a regular expression for the whole name of the znode at {member}; empty for any name. What does not match
	// is not a member.
	Match string `yaml:"match"`
	// Name is the member's name. {1} stands for the first group of Match, {0} for the whole name, and {a.b} for the value
	// of b in the object a of the JSON in the znode. Empty: the first group of Match that has matched something, or the
	// whole name where Match has no groups. Who leaves nothing of a name is called [Anonymous].
	Name string `yaml:"name"`
	// Persistent says that znodes without a session are members too; by default they are bookkeeping.
	Persistent Switch `yaml:"persistent"`
	// Status is what the data of a member must say for it to be up; nil where being there is enough.
	Status *Check `yaml:"status"`
	// Enabled is what the data of a member says that an operator has not disabled.
	Enabled *Check `yaml:"enabled"`
}

// Anonymous is the name of members whose znodes' names hold nothing but a random id: all of a group count as one, which is
// up while any of them lives.
const Anonymous = "anonymous"

// A Check is a question to the JSON in a znode.
type Check struct {
	// Field is a key, or keys joined with dots.
	Field string `yaml:"field"`
	// Is are the values that mean yes. A field that is not there says nothing against it.
	Is []string `yaml:"is"`
}

// A Switch is a setting that is true or false.
type Switch bool

// UnmarshalText parses true and false, as strconv.ParseBool does.
func (s *Switch) UnmarshalText(text []byte) error {
	on, err := strconv.ParseBool(string(text))
	if err != nil {
		return fmt.Errorf("%q is neither true nor false", text)
	}
	*s = Switch(on)
	return nil
}

// holds says whether the answer is yes.
func (c *Check) holds(said map[string]string) bool {
	value, there := said[c.Field]
	return !there || slices.Contains(c.Is, value)
}

// Compile makes a tree of the declaration. Its errors are [drivers.FieldError]s, joined.
func (c *Custom) Compile(root string, groups []string) (*Tree, error) {
	t := &Tree{root: root, group: c.Group, groups: groups, persistent: bool(c.Persistent), status: c.Status, enabled: c.Enabled}
	var errs []error
	if len(c.Paths) == 0 {
		errs = append(errs, drivers.Field("custom.paths", "is empty: write where members are, as /discovery/{group}/{member}"))
	}
	parse := func(field string, texts []string) (all []pattern) {
		for _, text := range texts {
			p, err := c.parse(text, field == "custom.roster")
			if err != nil {
				errs = append(errs, drivers.Field(field, "%q: %w", text, err))
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
		errs = append(errs, drivers.Field("custom.roster", "needs members that are named without the data of their znodes"))
	}
	t.fields = slices.Clone(t.naming.fields)
	for _, asked := range []struct {
		setting string
		check   *Check
	}{{"custom.status", c.Status}, {"custom.enabled", c.Enabled}} {
		if asked.check != nil {
			errs = append(errs, asked.check.validate(asked.setting))
			t.fields = append(t.fields, asked.check.Field)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return t, nil
}

// parse parses one pattern and checks that it says how the group is called.
func (c *Custom) parse(text string, roster bool) (pattern, error) {
	p, err := parsePattern(text)
	switch {
	case err != nil:
		return p, err
	case !p.grouped() && c.Group == "":
		return p, errors.New("no level is {group}: add it, or give the group a name with the setting group")
	case p.grouped() && c.Group != "":
		return p, errors.New("has {group} although the setting group names the group")
	case roster && p.tail != "":
		return p, errors.New("must end in {member}")
	}
	return p, nil
}

func (c *Check) validate(field string) error {
	if err := checkField(c.Field); err != nil {
		return drivers.Field(field+".field", "%w", err)
	}
	if len(c.Is) == 0 {
		return drivers.Field(field+".is", "is empty: list the values that mean yes")
	}
	return nil
}
