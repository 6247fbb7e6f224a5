package config

import (
	"errors"
	"regexp"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/suggest"
)

// Hosts is the section "hosts": which members run on the same machine, and when a machine that is down pages.
type Hosts struct {
	// Match is a regular expression for the whole name of a member. The host is its first group that is not empty, and a member
	// whose name does not match has none. Empty: the host is the name without what services add to it.
	Match string `yaml:"match"`
	// IgnoreDomain makes compute-1 and compute-1.example.org one host.
	IgnoreDomain bool `yaml:"ignore_domain"`
	// Page is [PageSuspected] or [PageConfirmed].
	Page string `yaml:"page"`
}

// The values of [Hosts.Page].
const (
	PageSuspected = "suspected" // ServiceGroupHostDown fires as soon as the host is suspected
	PageConfirmed = "confirmed" // it waits until a member is down by the rule of its service
)

// DefaultHosts returns the section of a file that does not have it.
func DefaultHosts() Hosts { return Hosts{IgnoreDomain: true, Page: PageSuspected} }

// MatchExpression returns the regular expression of a valid section, nil without one.
func (h *Hosts) MatchExpression() *regexp.Regexp {
	if h.Match == "" {
		return nil
	}
	return regexp.MustCompile(`\A(?:` + h.Match + `)\z`)
}

func (h *Hosts) validate() error {
	var errs []error
	if _, err := regexp.Compile(h.Match); err != nil {
		errs = append(errs, drivers.Field("match", "%w", err))
	}
	if h.Page != PageSuspected && h.Page != PageConfirmed {
		errs = append(errs, drivers.Field("page", "%w", suggest.NotOneOf(h.Page, []string{PageSuspected, PageConfirmed})))
	}
	return errors.Join(errs...)
}
