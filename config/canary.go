package config

import (
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"servicegroup_exporter/drivers"
)

// CanaryPrefix begins the name of every canary's group, so that it is never one of a user's.
const CanaryPrefix = "servicegroup-canary"

const (
	minCanaryInterval = 10 * time.Second
	maxCanaryGroup    = 200 // bytes
)

// Canary is the section "canary" of a source.
type Canary struct {
	// Interval is the time between the beginnings of two rounds.
	Interval drivers.Duration `yaml:"interval"`
	// Group is where the canary lives. It begins with CanaryPrefix. Exporters that share a backend may share the group.
	Group string `yaml:"group"`
	// DSN is the database with the table servicegroup_canary, for an account that may write to it and to nothing else.
	// Empty: the source's own. Password takes the place of the DSN's.
	DSN      drivers.Secret `yaml:"dsn"`
	Password drivers.Secret `yaml:"password"`
}

// DefaultCanary returns a round every five minutes.
func DefaultCanary() Canary {
	return Canary{Interval: drivers.Duration(5 * time.Minute), Group: CanaryPrefix}
}

// Validate returns every mistake as a [drivers.FieldError], joined with errors.Join.
func (c *Canary) Validate() error {
	var errs []error
	if time.Duration(c.Interval) < minCanaryInterval {
		errs = append(errs, drivers.Field("interval", "must be at least %s: each round is a death that has to be noticed", minCanaryInterval))
	}
	bad := strings.ContainsFunc(c.Group, func(r rune) bool { return r <= ' ' || r == '/' || r == 0x7f })
	if !strings.HasPrefix(c.Group, CanaryPrefix) || len(c.Group) > maxCanaryGroup || !utf8.ValidString(c.Group) || bad {
		errs = append(errs, drivers.Field("group", "must begin with %s, so that it is none of yours, and have neither blanks nor slashes",
			CanaryPrefix))
	}
	if c.DSN.IsZero() && !c.Password.IsZero() {
		errs = append(errs, drivers.Field("password", "takes the place of the one in dsn, which is not set"))
	}
	return errors.Join(errs...)
}
