// Package sources turns the configuration into drivers.
//
// A source takes three forms:
//
//   - [config.Source] is a source as the configuration declares it: settings, and what nova.conf adds to them.
//   - [Source] is one backend that is polled. Most declared sources are one backend. One with nova_conf is expanded to
//     several: Nova's API database, which lists the cells, and one for each cell.
//   - A cell is one of Nova's databases with services. It is a Source too, with the zones that the API database knows.
//
// [Check] finds what is wrong with settings that only a driver understands, as a DSN. A [Set] has the sources of a
// configuration, expanded. [OpenPrivate] opens a place on a source's backend that no source reads, for simulated members.
//
// No other package outside drivers compares the names of drivers or opens one.
package sources

import (
	"log/slog"
	"net/url"
	"path/filepath"

	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/db"
)

// Load reads a configuration file and checks it. The error joins everything that is wrong with it, each with file and
// line.
func Load(path string) (*config.Config, error) { return config.Load(path, Check) }

// Parse is Load for text that was read already. Errors call it name, and relative paths in it begin at name's folder.
func Parse(name string, data []byte) (*config.Config, error) { return config.Parse(name, data, Check) }

// Embedded returns the configuration of a program that has no file: the store in an SQLite file below storagePath.
func Embedded(storagePath string) *config.Config {
	section := config.DefaultDB()
	file := &url.URL{Path: filepath.Join(storagePath, "servicegroups.db")}
	section.DSN = drivers.SecretText("sqlite:///" + file.EscapedPath())
	s := config.DefaultSource()
	s.Name, s.Driver, s.DB = "local", driverDB, &section
	c := &config.Config{Sources: []config.Source{s}, Alerting: config.DefaultAlerting()}
	_ = Check(c) // It fills in times, and nothing is wrong.
	return c
}

// The names of the drivers.
const (
	driverDB = "db"
	driverMC = "mc"
	driverZK = "zk"
)

// A Source is one backend that is polled: a declared source, or a part of one.
type Source struct {
	// Name is the label "source". The name of a cell is that of its declared source, a slash, and the cell's own.
	Name string
	// Declared is the source in the configuration that this one is, or is a part of.
	Declared *config.Source

	// Driver is "db", "mc" or "zk".
	Driver string
	// Schema is how the database's tables are read, Layout how the ZooKeeper tree or the memcached keys are. Each is empty
	// for the other drivers.
	Schema, Layout string
	// Service names the system whose services the members are, by the schema of the table that they are in, as "nova". It
	// is empty where there is no such table. It is empty too where another source has this one as its roster: then what
	// this source says about its members is not the verdict that counts.
	Service string

	// Fingerprint is equal for two sources exactly when all their settings are, with the content of secrets and the
	// settings of the roster. It is a hash, which hides them.
	Fingerprint string

	rows *db.Config // of a part of Nova: its table of services
	open opener
}

// An opener makes a driver. It connects to nothing.
type opener func(*slog.Logger) (drivers.Driver, error)

// Open makes the source's driver, which connects when it is first used. The caller closes it.
func (s *Source) Open(logger *slog.Logger) (drivers.Driver, error) { return s.open(logger) }
