package config

import (
	"regexp"

	"servicegroup_exporter/drivers"
)

// Hosts is the section "hosts": which members run on the same machine.
type Hosts struct {
	// Match is a regular expression for the whole name of a member. The host is its first group that is not empty, and a member
	// whose name does not match has none. Empty: the host is the name without what services add to it.
	Match string `yaml:"match"`
	// IgnoreDomain makes compute-1 and compute-1.example.org one host.
	IgnoreDomain bool `yaml:"ignore_domain"`
}

// DefaultHosts returns the section of a file that does not have it.
func DefaultHosts() Hosts { return Hosts{IgnoreDomain: true} }

// MatchExpression returns the regular expression of a valid section, nil without one.
func (h *Hosts) MatchExpression() *regexp.Regexp {
	if h.Match == "" {
		return nil
	}
	return regexp.MustCompile(`\A(?:` + h.Match + `)\z`)
}

func (h *Hosts) validate() error {
	if _, err := regexp.Compile(h.Match); err != nil {
		return drivers.Field("match", "%w", err)
	}
	return nil
}
