// Package sources turns the configuration into drivers.
//
// A source has three forms:
//
//   - [config.Source] is a declared source: the settings in the configuration file and in nova.conf.
//   - [Source] is an expanded source: one backend that is polled. Most declared sources expand to one. A source with
//     nova_conf expands to Nova's API database, which lists the cells, and to every cell.
//   - [db.Cell] is a cell: the name and DSN of one of Nova's databases, as the API database or the configuration lists them.
//
// [Check] checks the settings that only a driver understands, such as DSNs. A [Set] has the expanded sources of a
// configuration. [OpenPrivate] opens a place on a source's backend that no source reads, for simulated members.
//
// Outside package drivers, only this package opens drivers and compares their names.
package sources

import (
	"log/slog"
	"net/url"
	"path/filepath"

	"servicegroup_exporter/collector/hosts"
	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/db"
)

// Load reads and checks a configuration file, whose relative paths begin at its folder. The error joins all mistakes, each
// with file and line.
func Load(path string) (*config.Config, error) { return LoadAt(path, "") }

// LoadAt is Load with the folder at which relative paths begin; empty: the file's own.
func LoadAt(path, basePath string) (*config.Config, error) { return config.Load(path, basePath, Check) }

// Parse is Load for the text of a file. Errors use name as the name of the file, and relative paths in the text begin at
// its folder.
func Parse(name string, data []byte) (*config.Config, error) { return config.Parse(name, data, Check) }

// Embedded returns the configuration of a program without a file: an embedded store in an SQLite file below storagePath.
func Embedded(storagePath string) *config.Config {
	section := config.DefaultDB()
	file := &url.URL{Path: filepath.Join(storagePath, "servicegroups.db")}
	section.DSN = drivers.SecretText("sqlite:///" + file.EscapedPath())
	s := config.DefaultSource()
	s.Name, s.Driver, s.DB = "local", driverDB, &section
	c := new(config.Default())
	c.Sources = []config.Source{s}
	_ = Check(c) // This sets the times, and finds no mistake.
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
	// Name is the label "source". For a cell it is the name of the declared source, a slash, and the name of the cell.
	Name string
	// Declared is the declared source that this one was expanded from.
	Declared *config.Source

	// Driver is "db", "mc" or "zk".
	Driver string
	// Schema is the schema of a database. Layout is the layout of a ZooKeeper tree, or the key format of memcached. Each is
	// empty for the other drivers.
	Schema, Layout string
	// Service is the system that the members belong to, such as "nova": the schema of the table with the members. It is
	// empty if there is no table. It is also empty if this source is the roster of another, because then the other source
	// decides whether the members are up.
	Service string

	// Nova names the declared source that this one is a cell of. It is empty if this source is no cell.
	Nova string

	// Fingerprint is equal for two sources exactly when all their settings are equal, including the content of secrets and
	// the settings of the roster. It is a hash, which hides the settings.
	Fingerprint string

	// ExpectedGroups names the groups that must exist in this source, by the configuration of alerts.
	ExpectedGroups []string
	// LabelLimit is the maximum length of the values of labels, in bytes; zero: there is no limit.
	LabelLimit int
	// Hosts is the section "hosts" of the configuration.
	Hosts *config.Hosts

	rows *db.Config // of a part of Nova: its table of services
	open opener
}

// An opener opens a driver without connecting.
type opener func(*slog.Logger) (drivers.Driver, error)

// Open opens the source's driver, which connects when it is first used. The caller closes it.
func (s *Source) Open(logger *slog.Logger) (drivers.Driver, error) { return s.open(logger) }

// Naming returns what tells which host a member of the source runs on.
func (s *Source) Naming() hosts.Naming {
	return hosts.Naming{Match: s.Hosts.MatchExpression(), KeepDomain: !s.Hosts.IgnoreDomain}
}
