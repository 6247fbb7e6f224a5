package sources

import (
	"errors"
	"log/slog"

	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/db"
	"servicegroup_exporter/drivers/mc"
	"servicegroup_exporter/drivers/zk"
)

// OpenPrivate makes a driver for the members of a group that no source reads, on the backend that says whether a declared
// source's members are up: in a table of its own, below a znode of its own, or under keys of its own. The times are the
// source's. Dial makes the connections; nil: the network does.
func OpenPrivate(
	s *config.Source, group string, names []string, dial drivers.Dialer, logger *slog.Logger,
) (drivers.Driver, error) {
	if tree := zkOf(s); tree != nil {
		cfg := zkConfig(tree)
		cfg = cfg.Private(group)
		cfg.Dial = dial
		return opened(zk.Open(cfg, logger))
	}
	if servers := mcOf(s); servers != nil {
		cfg := mcConfig(servers)
		cfg.Dial = dial
		return opened(mc.Open(cfg, mc.List(map[string][]string{group: names}), logger))
	}
	cfg, err := privateTable(s)
	if err != nil {
		return nil, err
	}
	cfg.Dial = dial
	return opened(db.Open(cfg, logger))
}

// errManyDatabases says that nova_conf alone does not say where the private table is.
var errManyDatabases = errors.New("nova_conf names several databases: set canary.dsn to the one with the table servicegroup_canary")

// privateTable is the configuration of the table for private members.
func privateTable(s *config.Source) (db.Config, error) {
	cfg := dbConfig(s.DB)
	switch {
	case s.Canary != nil && !s.Canary.DSN.IsZero():
		cfg.DSN, cfg.Password = s.Canary.DSN, s.Canary.Password
	case s.Nova != nil:
		return db.Config{}, errManyDatabases
	}
	return cfg.Private(), nil
}

// zkOf returns the settings of ZooKeeper where it says who is up, be it because nova.conf says so, else nil.
func zkOf(s *config.Source) *config.ZK {
	if s.ZK == nil && s.Nova != nil {
		return s.Nova.ZK
	}
	return s.ZK
}

// mcOf is zkOf for memcached.
func mcOf(s *config.Source) *config.MC {
	if s.MC == nil && s.Nova != nil {
		return s.Nova.MC
	}
	return s.MC
}
