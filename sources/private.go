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

// OpenPrivate opens a driver for the members of a group that no source reads, on the backend that decides whether the members
// of a declared source are up. The members are in a separate table, below a separate znode, or under separate keys. The times
// are the same as in the source. Dial makes the connections; nil: the network does.
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

// errManyDatabases means that nova_conf alone does not determine the database of the private table.
var errManyDatabases = errors.New("nova_conf names several databases: set canary.dsn to the one with the table servicegroup_canary")

// errNoPlace means that the driver of a source has no place for private members.
var errNoPlace = errors.New("the driver has no place that no source reads, so that there can be no simulated members")

// hasPlace reports whether there is a place for private members on the source's backend. A new driver has none.
func hasPlace(s *config.Source) bool { return zkOf(s) != nil || mcOf(s) != nil || s.DB != nil }

// privateTable returns the settings of the table for private members.
func privateTable(s *config.Source) (db.Config, error) {
	if !hasPlace(s) {
		return db.Config{}, errNoPlace
	}
	cfg := dbConfig(s.DB)
	switch {
	case s.Canary != nil && !s.Canary.DSN.IsZero():
		cfg.DSN, cfg.Password = s.Canary.DSN, s.Canary.Password
	case s.Nova != nil:
		return db.Config{}, errManyDatabases
	}
	return cfg.Private(), nil
}

// zkOf returns the settings of ZooKeeper if it decides which members are up, in the source itself or in nova.conf. Otherwise it
// returns nil.
func zkOf(s *config.Source) *config.ZK {
	if s.ZK == nil && s.Nova != nil {
		return s.Nova.ZK
	}
	return s.ZK
}

// mcOf does the same for memcached.
func mcOf(s *config.Source) *config.MC {
	if s.MC == nil && s.Nova != nil {
		return s.Nova.MC
	}
	return s.MC
}
