package config

import (
	"errors"
	"log/slog"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/db"
	"servicegroup_exporter/drivers/mc"
	"servicegroup_exporter/drivers/zk"
)

// OpenPrivate makes a driver on the backend that says of the source's members whether they are up, for the members of a
// group that no source reads: in a table of its own, below a znode of its own, under keys of its own. Times are the
// source's. Dial makes its connections; nil: the network does.
func (s *Source) OpenPrivate(group string, names []string, dial drivers.Dialer, logger *slog.Logger) (drivers.Driver, error) {
	switch {
	case s.zk() != nil:
		cfg := s.zk().Private(group)
		cfg.Dial = dial
		return opened(zk.Open(cfg, logger))
	case s.mc() != nil:
		cfg := *s.mc()
		cfg.Dial = dial
		return opened(mc.Open(cfg, mc.List(map[string][]string{group: names}), logger))
	}
	cfg, err := s.privateTable()
	if err != nil {
		return nil, err
	}
	cfg.Dial = dial
	return opened(db.Open(cfg, logger))
}

// errManyDatabases says that nova_conf alone does not say where the private table is.
var errManyDatabases = errors.New("nova_conf stands for several databases: say in canary.dsn where the table servicegroup_canary is")

// privateTable is the configuration of the table for private members.
func (s *Source) privateTable() (db.Config, error) {
	cfg := *s.DB
	switch {
	case s.Canary != nil && !s.Canary.DSN.IsZero():
		cfg.DSN, cfg.Password = s.Canary.DSN, s.Canary.Password
	case s.nova != nil:
		return db.Config{}, errManyDatabases
	}
	return cfg.Private(), nil
}

// zk and mc are who says that members are up where that is no database, be it that nova.conf says so.
func (s *Source) zk() *zk.Config {
	if s.ZK == nil && s.nova != nil {
		return s.nova.ZK
	}
	return s.ZK
}

func (s *Source) mc() *mc.Config {
	if s.MC == nil && s.nova != nil {
		return s.nova.MC
	}
	return s.MC
}

// validateCanary checks the section of a source that is right otherwise.
func validateCanary(r *report, s *Source, path string) {
	if s.Canary == nil {
		return
	}
	path = join(path, "canary")
	r.section(path, s.Canary.Validate())
	isTable := s.DB != nil && s.zk() == nil && s.mc() == nil
	switch {
	case s.Canary.DSN.IsZero():
	case !isTable:
		r.settingf(join(path, "dsn"), "belongs to sources whose members live in a database")
	default:
		if err := checkDSN(s.Canary.DSN); err != nil {
			r.settingf(join(path, "dsn"), "%v", err)
		}
	}
	if isTable && s.Canary.DSN.IsZero() && s.nova != nil {
		r.settingf(path, "%v", errManyDatabases)
	}
}
