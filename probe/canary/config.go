package canary

import (
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"servicegroup_exporter/drivers"
)

// GroupPrefix begins the name of every canary's group, so that it is never one of a user's.
const GroupPrefix = "servicegroup-canary"

const (
	minInterval = 10 * time.Second
	maxGroup    = 200 // bytes
)

// Config is the section "canary" of a source.
type Config struct {
	// Interval is the time between the beginnings of two rounds.
	Interval drivers.Duration `yaml:"interval"`
	// Group is where the canary lives. It begins with GroupPrefix. Exporters that share a backend may share the group.
	Group string `yaml:"group"`
	// DSN is the database with the table servicegroup_canary, for an account that may write to it and to nothing else.
	// Empty: the source's own. Password takes the place of the DSN's.
	DSN      drivers.Secret `yaml:"dsn"`
	Password drivers.Secret `yaml:"password"`
}

// DefaultConfig is a round every five minutes.
func DefaultConfig() Config {
	return Config{Interval: drivers.Duration(5 * time.Minute), Group: GroupPrefix}
}

// Validate returns every mistake as a [drivers.FieldError], joined with errors.Join.
func (c *Config) Validate() error {
	var errs []error
	if time.Duration(c.Interval) < minInterval {
		errs = append(errs, drivers.Field("interval", "must be at least %s: each round is a death that has to be noticed", minInterval))
	}
	bad := strings.ContainsFunc(c.Group, func(r rune) bool { return r <= ' ' || r == '/' || r == 0x7f })
	if !strings.HasPrefix(c.Group, GroupPrefix) || len(c.Group) > maxGroup || !utf8.ValidString(c.Group) || bad {
		errs = append(errs, drivers.Field("group", "must begin with %s, so that it is none of yours, and have neither blanks nor slashes",
			GroupPrefix))
	}
	if c.DSN.IsZero() && !c.Password.IsZero() {
		errs = append(errs, drivers.Field("password", "takes the place of the one in dsn, which is not set"))
	}
	return errors.Join(errs...)
}
