package config

import (
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/suggest"
)

// CanaryPrefix begins the name of every canary's group, so that no real group has the name.
const CanaryPrefix = "servicegroup-canary"

const (
	minCanaryInterval = 10 * time.Second
	maxCanaryGroup    = 200 // bytes
)

// Canary is the section "canary" of a source.
type Canary struct {
	// Interval is the time between the starts of two rounds.
	Interval drivers.Duration `yaml:"interval"`
	// Group is the canary's group. It begins with CanaryPrefix. Exporters with the same backend may share the group.
	Group string `yaml:"group"`
	// DSN names the database with the table servicegroup_canary, for an account that may write to this table only. Empty: the
	// source's own. Password replaces the password of the DSN.
	DSN      drivers.Secret `yaml:"dsn"`
	Password drivers.Secret `yaml:"password"`
}

// DefaultCanary returns the settings of a round every five minutes.
func DefaultCanary() Canary {
	return Canary{Interval: drivers.Duration(5 * time.Minute), Group: CanaryPrefix}
}

// Validate returns every mistake as a [drivers.FieldError], joined.
func (c *Canary) Validate() error {
	var errs []error
	if time.Duration(c.Interval) < minCanaryInterval {
		errs = append(errs, drivers.Field("interval", "is %s, must be at least %s: each round simulates a death and waits until polls see it", c.Interval, minCanaryInterval))
	}
	bad := strings.ContainsFunc(c.Group, func(r rune) bool { return r <= ' ' || r == '/' || r == 0x7f })
	if !strings.HasPrefix(c.Group, CanaryPrefix) || len(c.Group) > maxCanaryGroup || !utf8.ValidString(c.Group) || bad {
		errs = append(errs, drivers.Field("group", "%s must begin with %s, so that no real group has the name, and must not contain spaces or slashes",
			suggest.Quote(c.Group), CanaryPrefix))
	}
	if c.DSN.IsZero() && !c.Password.IsZero() {
		errs = append(errs, drivers.Field("password", "replaces the password of dsn, which is not set"))
	}
	return errors.Join(errs...)
}
