package config

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/db"
	"servicegroup_exporter/drivers/mc"
)

// Roster says who should be there, for a driver that knows only who is: exactly one of its settings is set.
type Roster struct {
	// Source names the source whose members should be there. That source is read and served as ever, too.
	Source string `yaml:"source"`

	// DB is a database whose members should be there, and which is no source by itself: with Nova's mc driver the
	// heartbeats in its table mean nothing.
	DB *db.Config `yaml:"db"`

	// Members are the names in each group.
	Members map[string][]string `yaml:"members"`

	of *Source // what Source names
}

// open makes a driver of the roster's own, whatever else reads the same.
func (r *Roster) open(logger *slog.Logger) (drivers.Driver, error) {
	switch {
	case r == nil:
		return nil, errors.New("there is no roster")
	case r.of != nil:
		return r.of.Open(logger)
	case r.DB != nil:
		return opened(db.Open(*r.DB, logger))
	case r.Source != "":
		return nil, fmt.Errorf("source %q is not known", r.Source)
	}
	return mc.List(r.Members), nil
}

// validateRoster checks that a source has a roster exactly if its driver needs one, and that it is right.
func validateRoster(r *report, c *Config, s *Source, path string) {
	path = join(path, "roster")
	switch {
	case s.Roster == nil && s.Driver == "mc":
		r.settingf(path, `driver "mc" does not know who should be there: write {source: NAME}, {db: {dsn: URL}} or {members: {GROUP: [NAME]}}`)
		return
	case s.Roster == nil:
		return
	case s.Driver != "mc":
		r.settingf(path, "driver %q knows by itself who should be there", s.Driver)
		return
	}
	given := 0
	for _, set := range []bool{s.Roster.Source != "", s.Roster.DB != nil, len(s.Roster.Members) > 0} {
		if set {
			given++
		}
	}
	if given != 1 {
		r.settingf(path, "must have exactly one of source, db, members")
		return
	}
	if s.Roster.DB != nil && len(s.Roster.DB.NovaConf) > 0 {
		r.settingf(join(path, "db.nova_conf"), "belongs to a source of driver db, which takes the driver of services from there too")
	} else if s.Roster.DB != nil {
		r.section(join(path, "db"), s.Roster.DB.Validate())
	}
	s.Roster.find(r, c, join(path, "source"))
	s.Roster.checkNames(r, join(path, "members"))
}

// find looks up the source that is named.
func (r *Roster) find(report *report, c *Config, path string) {
	if r.Source == "" {
		return
	}
	i := slices.IndexFunc(c.Sources, func(s Source) bool { return s.Name == r.Source })
	switch {
	case i < 0:
		report.settingf(path, "there is no source %q", r.Source)
	case c.Sources[i].nova != nil:
		report.settingf(path, "source %q has nova_conf, which says by itself whose verdict counts", r.Source)
	case c.Sources[i].Driver == "mc":
		report.settingf(path, "source %q is of driver \"mc\", which does not know who should be there", r.Source)
	default:
		r.of = &c.Sources[i]
		r.of.isRoster = true
	}
}

func (r *Roster) checkNames(report *report, path string) {
	for _, group := range slices.Sorted(maps.Keys(r.Members)) {
		names := r.Members[group]
		if group == "" || slices.Contains(names, "") {
			report.settingf(join(path, group), "a name is empty")
		}
		if len(names) == 0 {
			report.settingf(join(path, group), "the group has no members")
		}
		if sorted := slices.Sorted(slices.Values(names)); len(slices.Compact(sorted)) < len(names) {
			report.settingf(join(path, group), "a name is there twice")
		}
	}
}
