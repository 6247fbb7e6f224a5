package config

import (
	"errors"
	"maps"
	"slices"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/suggest"
)

// Roster lists the members that should exist, for a driver that can read only those that exist. Exactly one of its settings
// is set.
type Roster struct {
	// Source is the name of another source, whose members are the roster. That source is polled and served, too.
	Source string `yaml:"source"`

	// DB is a database whose rows are the roster, and which is no source: with Nova's mc driver, the heartbeats in its table
	// have no meaning.
	DB *DB `yaml:"db"`

	// Members has the names of the members of each group.
	Members map[string][]string `yaml:"members"`
}

// validate returns every mistake as a [drivers.FieldError], joined.
func (r *Roster) validate(c *Config) error {
	given := 0
	for _, set := range []bool{r.Source != "", r.DB != nil, len(r.Members) > 0} {
		if set {
			given++
		}
	}
	if given != 1 {
		return errors.New("must have exactly one of source, db, members")
	}
	var errs []error
	if r.Source != "" && !slices.ContainsFunc(c.Sources, func(s Source) bool { return s.Name == r.Source }) {
		errs = append(errs, drivers.Field("source", "there is no source of this name: %w", suggest.NotOneOf(r.Source, sourceNames(c))))
	}
	for _, group := range slices.Sorted(maps.Keys(r.Members)) {
		names := r.Members[group]
		wrong := func(text string) { errs = append(errs, drivers.Field("members."+group, "%s", text)) }
		if group == "" || slices.Contains(names, "") {
			wrong("a name is empty")
		}
		if len(names) == 0 {
			wrong("the group has no members")
		}
		if sorted := slices.Sorted(slices.Values(names)); len(slices.Compact(sorted)) < len(names) {
			wrong("a name is listed twice")
		}
	}
	return errors.Join(errs...)
}

// sourceNames returns the names of the sources.
func sourceNames(c *Config) []string {
	names := make([]string, len(c.Sources))
	for i := range c.Sources {
		names[i] = c.Sources[i].Name
	}
	return names
}
