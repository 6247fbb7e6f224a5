package config

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"servicegroup_exporter/config/oslo"
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/suggest"
)

// Nova has the settings of Nova's own configuration files.
type Nova struct {
	// API is [api_database]connection, and APIParameters its connection_parameters. Empty: there is no API database.
	API           drivers.Secret `yaml:"api"`
	APIParameters string         `yaml:"api_parameters"`
	// Connection is [database]connection: Nova's own database, which the DSNs of cells may be templates of.
	// ConnectionParameters are added to the DSNs of cells.
	Connection           drivers.Secret `yaml:"connection"`
	ConnectionParameters string         `yaml:"connection_parameters"`
	// DefaultZone is the zone of compute hosts that are in no aggregate with a zone, InternalZone that of other services.
	DefaultZone  string `yaml:"default_zone"`
	InternalZone string `yaml:"internal_zone"`
	// MC or ZK is where Nova's servicegroup driver keeps which members are up; both are nil where that is the database.
	MC *MC `yaml:"mc"`
	ZK *ZK `yaml:"zk"`

	hasCells bool // the YAML file lists cells
	conf     *oslo.Config
}

// Errorf returns an error about an option, with the file and line of its value.
func (n *Nova) Errorf(section, name, format string, args ...any) error {
	return n.conf.Errorf(section, name, format, args...)
}

// HasAPI reports whether Nova has an API database.
func (n *Nova) HasAPI() bool { return !n.API.IsZero() }

// HasOneDatabase reports whether neither an API database nor a list of cells is configured. Nova had no cells before 2015.1.
func (n *Nova) HasOneDatabase() bool { return !n.HasAPI() && !n.hasCells }

// importNova reads the nova.conf of every source that names one. Times in the YAML file take precedence.
func importNova(r *report, c *Config) {
	for i := range c.Sources {
		s, path := &c.Sources[i], fmt.Sprintf("sources[%d].db", i)
		if s.DB == nil || len(s.DB.NovaConf) == 0 {
			continue
		}
		conf, err := oslo.Read(s.DB.NovaConf...)
		if err != nil {
			r.settingf(join(path, "nova_conf"), "%v", err)
			continue
		}
		n := &novaReader{conf: conf}
		if _, set := r.places[join(path, "report_interval")]; !set {
			s.DB.ReportInterval = n.seconds("report_interval", s.DB.ReportInterval)
		}
		if _, set := r.places[join(path, "service_down_time")]; !set {
			s.DB.ServiceDownTime = n.seconds("service_down_time", s.DB.ServiceDownTime)
		}
		s.Nova = n.read(s.DB)
		for _, err := range n.errs {
			r.settingf(join(path, "nova_conf"), "%v", err)
		}
	}
}

// A novaReader reads options from Nova's files, and collects the mistakes.
type novaReader struct {
	conf *oslo.Config
	errs []error
}

func (n *novaReader) read(section *DB) *Nova {
	c := &Nova{
		API:                  drivers.SecretText(n.text("api_database", "connection", "")),
		APIParameters:        n.text("api_database", "connection_parameters", ""),
		Connection:           n.connection(),
		ConnectionParameters: n.text("database", "connection_parameters", ""),
		DefaultZone:          n.text("DEFAULT", "default_availability_zone", "nova"),
		InternalZone:         n.text("DEFAULT", "internal_service_availability_zone", "internal"),

		hasCells: len(section.Cells) > 0, conf: n.conf,
	}
	if c.HasOneDatabase() && c.Connection.IsZero() && len(n.errs) == 0 { // An option that can't be read is not missing.
		n.errs = append(n.errs, errors.New("sets neither [api_database] connection nor [database] connection"))
	}
	switch driver := n.text("DEFAULT", "servicegroup_driver", "db"); driver {
	case "db":
	case "mc":
		c.MC = n.memcached(section)
	case "zk":
		c.ZK = n.zookeeper()
	default:
		n.errorf("DEFAULT", "servicegroup_driver", "%w", suggest.NotOneOfOr(driver, []string{"db", "mc", "zk"}, otherNames()))
	}
	return c
}

// connection returns the DSN of Nova's own database. Until 2013.1 the option had other names.
func (n *novaReader) connection() drivers.Secret {
	for _, o := range [][2]string{
		{"database", "connection"}, {"DEFAULT", "sql_connection"}, {"database", "sql_connection"}, {"sql", "connection"},
	} {
		if dsn := n.text(o[0], o[1], ""); dsn != "" {
			return drivers.SecretText(dsn)
		}
	}
	return drivers.Secret{}
}

func (n *novaReader) errorf(section, name, format string, args ...any) {
	n.errs = append(n.errs, n.conf.Errorf(section, name, format, args...))
}

// text returns an option's value, or the default if it is not set or is empty.
func (n *novaReader) text(section, name, byDefault string) string {
	text, _, err := n.conf.Get(section, name)
	if err != nil {
		n.errs = append(n.errs, err)
	}
	return cmp.Or(strings.TrimSpace(text), byDefault)
}

// maxSeconds is the maximum of a time: a year.
const maxSeconds = 365 * 24 * 60 * 60

// seconds returns an option that is a whole number of seconds.
func (n *novaReader) seconds(name string, byDefault drivers.Duration) drivers.Duration {
	text := n.text("DEFAULT", name, "")
	if text == "" {
		return byDefault
	}
	seconds, err := strconv.Atoi(text)
	if err != nil || seconds < 1 || seconds > maxSeconds {
		n.errorf("DEFAULT", name, "%s is not a number of seconds from 1 to %d", suggest.Quote(text), maxSeconds)
		return byDefault
	}
	return drivers.Duration(time.Duration(seconds) * time.Second)
}

// isTrue reports whether oslo.config takes an option for true.
func (n *novaReader) isTrue(section, name string) bool {
	switch strings.ToLower(n.text(section, name, "")) {
	case "true", "1", "on", "yes":
		return true
	}
	return false
}

func (n *novaReader) list(section, name string) []string {
	var items []string
	for item := range strings.SplitSeq(n.text(section, name, ""), ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}
