package db

import (
	"strings"

	"servicegroup_exporter/drivers"
)

// A Rule is whose verdict a source gives.
type Rule string

const (
	// RuleComputed goes by the age of heartbeats.
	RuleComputed Rule = "computed"
	// RuleStored goes by the state that the service has stored, as its own tools do. It may be wrong for ever.
	RuleStored Rule = "stored"
)

// checkSchema checks what says how to read the table.
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
