// Package config reads the YAML configuration file: strictly, with the line of everything that is wrong, and with
// secrets taken from files and the environment, so that drivers see settings only.
//
// It is the only package that knows YAML.
package config

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"servicegroup_exporter/drivers"
)

// maxFile bounds what is read as a configuration.
const maxFile = 1 << 20

// Config is the whole configuration file.
type Config struct {
	// Sources has at least one element, each with a name of its own.
	Sources []Source `yaml:"sources"`
	// Alerting is what the rules and the bridge to Alertmanager share.
	Alerting Alerting `yaml:"alerting"`
}

// Source is one configured backend: a driver and its connection.
type Source struct {
	// Name is the label "source".
	Name string `yaml:"name"`
	// Driver is "db", "mc" or "zk". The section of the same name is not nil, all others are.
	Driver string `yaml:"driver"`
	DB     *DB    `yaml:"db"`
	MC     *MC    `yaml:"mc"`
	ZK     *ZK    `yaml:"zk"`

	// Canary is the simulated member that dies every now and then to be noticed; nil: there is none.
	Canary *Canary `yaml:"canary"`

	// Roster is who should be there, for the driver "mc"; nil for all others.
	Roster *Roster `yaml:"roster"`

	// PollInterval is the time between polls that no scrape asked for; zero: there are none.
	PollInterval drivers.Duration `yaml:"poll_interval"`
	// PollTimeout bounds polls that no scrape asked for.
	PollTimeout drivers.Duration `yaml:"poll_timeout"`
	// ForgetAfter is how long a dead member that the backend no longer shows is remembered.
	ForgetAfter drivers.Duration `yaml:"forget_after"`

	// MemberMetrics is "all", or "minimal" for service_up as the only series of each member.
	MemberMetrics string `yaml:"member_metrics"`

	// Nova is what the files of DB.NovaConf say; nil where the source names none.
	Nova *Nova
}

// Fingerprint is equal for two sources exactly when all their settings are, the content of secrets and what nova.conf says
// included. It is a hash, which hides them.
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
		MemberMetrics: MemberMetricsAll,
	}
}

// seed puts the defaults into a section of the file that is about to be read.
func seed(section any) {
	switch s := section.(type) {
	case *Source:
		*s = DefaultSource()
	case *Alerting:
		*s = DefaultAlerting()
	case *Alertmanager:
		*s = DefaultAlertmanager()
	case *Canary:
		*s = DefaultCanary()
	case *DB:
		*s = DefaultDB()
	case *MC:
		*s = DefaultMC()
	case *ZK:
		*s = DefaultZK()
	}
}

// Load reads a configuration file. The error joins everything that is wrong with it, each with file and line. It includes
// what check returns: joined [drivers.FieldError]s whose fields are paths in the file, or nil.
func Load(path string, check func(*Config) error) (*Config, error) {
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
	return Parse(path, data, check)
}

// Parse is Load for text that was read already. Errors call it name, and relative paths in it begin at name's folder.
func Parse(name string, data []byte, check func(*Config) error) (*Config, error) {
	r := &report{file: name, places: map[string]place{}, unread: map[string]bool{}}
	root := document(r, data)
	if root == nil {
		return nil, r.err()
	}
	c := &Config{Alerting: DefaultAlerting()}
	d := &decoder{report: r, dir: filepath.Dir(name)}
	d.decode(root, reflectOf(c), "", root.Line)
	setDirectory(reflectOf(c), d.dir)
	importNova(r, c)
	validate(r, c)
	r.section("", check(c))
	if err := r.err(); err != nil {
		return nil, err
	}
	return c, nil
}
