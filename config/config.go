// Package config reads the YAML configuration file into structs. It is strict: it reports all mistakes of a file at once,
// each with its line. It reads secrets from files and environment variables, and Nova's own configuration files.
//
// It opens no driver. Package sources checks what only a driver understands, and opens drivers. No other package reads YAML that a
// user has written.
package config

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"servicegroup_exporter/drivers"
)

// maxFile is the maximum size of a configuration file, in bytes.
const maxFile = 1 << 20

// Config is the whole configuration file.
type Config struct {
	// Sources has at least one element. Their names differ.
	Sources []Source `yaml:"sources"`
	// Alerting has the settings of alerts, for the rules and for the bridge to Alertmanager.
	Alerting Alerting `yaml:"alerting"`
	// Hosts is the section about machines: which members run on the same one, and when one that is down pages.
	Hosts Hosts `yaml:"hosts"`
	// LabelValueLengthLimit is the maximum length of the values of labels, in bytes, as label_value_length_limit of the scrape job;
	// zero: there is no limit but [drivers.MaxText]. Members with longer names are rejected, so that Prometheus does not
	// refuse the whole scrape.
	LabelValueLengthLimit int `yaml:"label_value_length_limit"`
}

// Default returns a configuration without sources.
func Default() Config {
	return Config{
		Alerting: DefaultAlerting(), Hosts: DefaultHosts(), LabelValueLengthLimit: 200,
	}
}

// Source is one declared backend: a driver, its connection and its roster.
type Source struct {
	// Name is the label "source".
	Name string `yaml:"name"`
	// Driver is "db", "mc" or "zk". The section of the same name is not nil, all others are.
	Driver string `yaml:"driver"`
	DB     *DB    `yaml:"db"`
	MC     *MC    `yaml:"mc"`
	ZK     *ZK    `yaml:"zk"`

	// Canary is the simulated member that dies regularly to measure detection; nil: there is none.
	Canary *Canary `yaml:"canary"`

	// Roster lists the members that should exist, for the driver "mc"; nil for the other drivers.
	Roster *Roster `yaml:"roster"`

	// PollInterval is the time between polls that no scrape asked for; zero: there are no others.
	PollInterval drivers.Duration `yaml:"poll_interval"`
	// PollTimeout bounds these polls.
	PollTimeout drivers.Duration `yaml:"poll_timeout"`
	// ForgetAfter is how long a dead member stays known after the backend has forgotten it.
	ForgetAfter drivers.Duration `yaml:"forget_after"`

	// Suspicion is how members are suspected whose heartbeats are overdue.
	Suspicion Suspicion `yaml:"suspicion"`

	// MemberMetrics is "all", or "minimal" for service_up as the only series of each member.
	MemberMetrics string `yaml:"member_metrics"`

	// Nova has the settings that were read from DB.NovaConf; nil if there are no such files.
	Nova *Nova
}

// Fingerprint returns the same text for two sources exactly when all their settings are equal, including the content of
// secrets and the settings from nova.conf. It is a hash, which hides them.
func (s *Source) Fingerprint() string {
	if s.Nova == nil {
		return Fingerprint(s)
	}
	return Fingerprint(s, s.Nova)
}

// The values of [Source.MemberMetrics].
const (
	MemberMetricsAll     = "all"
	MemberMetricsMinimal = "minimal"
)

// DefaultSource returns everything but the name and the driver.
func DefaultSource() Source {
	return Source{
		PollTimeout:   drivers.Duration(10 * time.Second),
		ForgetAfter:   drivers.Duration(24 * time.Hour),
		Suspicion:     DefaultSuspicion(),
		MemberMetrics: MemberMetricsAll,
	}
}

// seed sets a section to its defaults before it is read.
func seed(section any) {
	switch s := section.(type) {
	case *Config:
		*s = Default()
	case *Source:
		*s = DefaultSource()
	case *Alerting:
		*s = DefaultAlerting()
	case *Alertmanager:
		*s = DefaultAlertmanager()
	case *Suspicion:
		*s = DefaultSuspicion()
	case *Canary:
		*s = DefaultCanary()
	case *Hosts:
		*s = DefaultHosts()
	case *DB:
		*s = DefaultDB()
	case *MC:
		*s = DefaultMC()
	case *ZK:
		*s = DefaultZK()
	}
}

// Load reads a configuration file, whose relative paths begin at the folder basePath; empty: at the file's own folder. The
// error joins all mistakes, each with file and line. Among them are those that check returns: joined [drivers.FieldError]s
// whose fields are paths in the file, or nil.
func Load(path, basePath string, check func(*Config) error) (*Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("reading the configuration: %s is larger than %d bytes", path, maxFile)
	}
	return parse(path, cmp.Or(basePath, filepath.Dir(path)), data, check)
}

// Parse is Load for the text of a file. Errors use name as the name of the file, and relative paths in the text begin at
// its folder.
func Parse(name string, data []byte, check func(*Config) error) (*Config, error) {
	return parse(name, filepath.Dir(name), data, check)
}

func parse(name, basePath string, data []byte, check func(*Config) error) (*Config, error) {
	r := &report{file: name, places: map[string]place{}, unread: map[string]bool{}}
	root := document(r, data)
	if root == nil {
		return nil, r.err()
	}
	c := new(Default())
	d := &decoder{report: r, dir: basePath}
	d.decode(root, reflectOf(c), "", root.Line)
	setDirectory(reflectOf(c), d.dir)
	importNova(r, c)
	validate(r, c)
	c.Alerting.PageConfirmedHosts = c.Hosts.Page == PageConfirmed
	r.section("", check(c))
	if err := r.err(); err != nil {
		return nil, err
	}
	return c, nil
}
