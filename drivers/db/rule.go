package db

import (
	"strings"

	"servicegroup_exporter/drivers"
)

// A Rule is which verdict about members a source reports.
type Rule string

const (
	// RuleComputed is by the age of heartbeats.
	RuleComputed Rule = "computed"
	// RuleStored is the state that the service stored in the table, as its own tools report it. It can stay wrong without
	// end: a service that crashes does not update it.
	RuleStored Rule = "stored"
)

// checkSchema checks the settings that describe the table.
func (c *Config) checkSchema() error {
	switch s := schemaOf(c); {
	case c.Schema == custom && c.Custom == nil:
		return drivers.Field("custom", "describes the table of schema %q, and is missing", custom)
	case s == nil:
		return drivers.Field("schema", "%q is not known; known are %s", c.Schema, strings.Join(schemaNames(), ", "))
	case c.Rule != "" && c.Rule != RuleComputed && c.Rule != RuleStored:
		return drivers.Field("rule", "must be %q or %q", RuleComputed, RuleStored)
	case s.rulesFor(c.Rule) == nil:
		return drivers.Field("rule", "schema %s has no stored state", c.Schema)
	case c.Schema != custom && c.Custom != nil:
		return drivers.Field("custom", "is read for schema %q only", custom)
	case c.Custom != nil:
		return c.Custom.validate()
	}
	return nil
}
