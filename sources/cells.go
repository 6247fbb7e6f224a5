package sources

import (
	"fmt"
	"log/slog"
	"strings"

	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/db"
	"servicegroup_exporter/drivers/nova"
)

// A cloud has the cells and zones of the Nova of one declared source.
type cloud struct {
	*nova.Cloud
	fingerprint string // of the declared source
}

// schemaAPI is the schema of Nova's API database.
const schemaAPI = "nova_api"

// expand returns the sources that a declared source with nova_conf expands to: one database, or the API database and the
// cells.
func (x *Set) expand(s *config.Source) []Source {
	c := x.clouds[s.Name]
	if s.Nova.HasOneDatabase() {
		cfg := novaConfig(s)
		rows := rowsOf(s, cfg.Database())
		return []Source{x.part(s, s.Name, rows, dbSource(rows))}
	}
	var parts []Source
	if s.Nova.HasAPI() {
		api := Source{Driver: driverDB, Schema: schemaAPI, Service: schemaAPI, open: func(logger *slog.Logger) (drivers.Driver, error) {
			return opened(c.Open(logger))
		}}
		api.Name, api.Declared, api.Fingerprint = s.Name, s, fingerprint(c.fingerprint, s.Name)
		parts = append(parts, api)
	}
	for _, cell := range c.Cells() {
		rows := rowsOf(s, cell.DSN)
		rows.IsCell = true
		source := Source{Driver: driverDB, Schema: rows.Schema, open: func(logger *slog.Logger) (drivers.Driver, error) {
			driver, err := db.Open(*rows, logger)
			if err != nil {
				return nova.Broken(err), nil
			}
			return c.Zoned(driver), nil
		}}
		parts = append(parts, x.part(s, x.cellName(s, cell.Name), rows, source))
	}
	return parts
}

// cellName returns the name of a cell's source. A name that is too long for a label is cut, and ends in a part of its hash,
// which makes it unique.
func (x *Set) cellName(s *config.Source, cell string) string {
	name, limit := s.Name+"/"+cell, x.config.LabelValueLengthLimit
	if limit == 0 || len(name) <= limit {
		return name
	}
	hash := "-" + fingerprint(name)[:8]
	return strings.ToValidUTF8(name[:limit-len(hash)], "") + hash
}

// rowsOf returns the settings of one database with services of a declared source's Nova.
func rowsOf(s *config.Source, dsn drivers.Secret) *db.Config {
	rows := dbConfig(s.DB)
	rows.DSN = dsn
	return &rows
}

// part completes the source of a database with services. If Nova's servicegroup driver is mc or zk, the database is the
// roster, and memcached or ZooKeeper decides which members are up.
func (x *Set) part(s *config.Source, name string, rows *db.Config, source Source) Source {
	switch {
	case s.Nova.MC != nil:
		source = mcSource(s.Nova.MC, source.open, rows.IsCell)
	case s.Nova.ZK != nil:
		source = zkSource(s.Nova.ZK, source.open)
	}
	source.Name, source.Declared, source.rows, source.Service = name, s, rows, rows.Schema
	if rows.IsCell {
		source.Nova = s.Name
	}
	source.Fingerprint = fingerprint(x.clouds[s.Name].fingerprint, name, fmt.Sprintf("%x", rows.DSN.Sum()))
	return source
}
