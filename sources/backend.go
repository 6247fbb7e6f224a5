package sources

import (
	"errors"
	"fmt"
	"log/slog"

	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/db"
	"servicegroup_exporter/drivers/mc"
	"servicegroup_exporter/drivers/nova"
	"servicegroup_exporter/drivers/zk"
)

// dbSource returns the source of a database.
func dbSource(cfg *db.Config) Source {
	return Source{Driver: driverDB, Schema: cfg.Schema, open: func(logger *slog.Logger) (drivers.Driver, error) {
		return opened(db.Open(*cfg, logger))
	}}
}

// mcSource returns the source of memcached servers that have the heartbeats of a roster's members. The roster of one of several
// cells may have none.
func mcSource(section *config.MC, roster opener, mayBeEmpty bool) Source {
	return Source{Driver: driverMC, Layout: section.KeyFormat, open: func(logger *slog.Logger) (drivers.Driver, error) {
		list, err := roster(logger)
		if err != nil {
			return nil, fmt.Errorf("opening the roster: %w", err)
		}
		cfg := mcConfig(section)
		cfg.MayBeEmpty = mayBeEmpty
		return opened(mc.Open(cfg, list, logger))
	}}
}

// zkSource returns the source of a ZooKeeper tree. Its members come from the roster, or from the tree if roster is nil.
func zkSource(section *config.ZK, roster opener) Source {
	return Source{Driver: driverZK, Layout: section.Layout, open: func(logger *slog.Logger) (drivers.Driver, error) {
		tree, err := opened(zk.Open(zkConfig(section), logger))
		if err != nil || roster == nil {
			return tree, err
		}
		rows, err := roster(logger)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("opening the roster: %w", err), tree.Close())
		}
		return nova.WithLiveness(rows, tree), nil
	}}
}

// opened returns a driver as an interface that is nil if opening failed, and not an interface with a nil pointer.
func opened[D drivers.Driver](d D, err error) (drivers.Driver, error) {
	if err != nil {
		return nil, err
	}
	return d, nil
}

// single returns the only source that a declared source without nova_conf expands to.
func (x *Set) single(s *config.Source) Source {
	var source Source
	rows, roster := s.DB, ""
	switch {
	case s.MC != nil:
		var open opener
		if s.Roster != nil {
			rows, roster = s.Roster.DB, s.Roster.Source
		}
		if of := x.find(roster); of != nil && of.MC == nil { // Check refuses others.
			rows, open = of.DB, x.single(of).open
			roster = of.Fingerprint()
		} else {
			open = openRoster(s.Roster)
		}
		source = mcSource(s.MC, open, false)
	case s.ZK != nil:
		source = zkSource(s.ZK, nil)
	case s.DB != nil:
		cfg := dbConfig(s.DB)
		source = dbSource(&cfg)
	default:
		source.open = func(*slog.Logger) (drivers.Driver, error) { return nil, fmt.Errorf("there is no driver %q", s.Driver) }
	}
	if rows != nil && !x.isRoster(s) {
		source.Service = rows.Schema
	}
	source.Name, source.Declared = s.Name, s
	source.Fingerprint = fingerprint(s.Fingerprint(), roster, source.Service)
	return source
}

// openRoster returns the opener of a roster that is not another source.
func openRoster(r *config.Roster) opener {
	return func(logger *slog.Logger) (drivers.Driver, error) {
		switch {
		case r == nil:
			return nil, errors.New("there is no roster")
		case r.DB != nil:
			return opened(db.Open(dbConfig(r.DB), logger))
		case r.Source != "":
			return nil, fmt.Errorf("source %q is not known", r.Source)
		}
		return mc.List(r.Members), nil
	}
}

// find returns the declared source with a name, or nil.
func (x *Set) find(name string) *config.Source {
	for i := range x.declaredSources {
		if name != "" && x.declaredSources[i].Name == name {
			return &x.declaredSources[i]
		}
	}
	return nil
}

// isRoster reports whether another source names this one as its roster.
func (x *Set) isRoster(s *config.Source) bool {
	for i := range x.declaredSources {
		if r := x.declaredSources[i].Roster; r != nil && r.Source == s.Name {
			return true
		}
	}
	return false
}
