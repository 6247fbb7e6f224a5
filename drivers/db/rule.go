package db

import (
	"strings"

	"servicegroup_exporter/drivers"
)

// A Verdict selects one of the verdicts that a service has about its members.
type Verdict string

const (
	// VerdictComputed is by the age of heartbeats.
	VerdictComputed Verdict = "computed"
	// VerdictStored is the state that the service stored in the table, as its own tools report it. It can stay wrong without
	// end: a service that crashes does not update it.
	VerdictStored Verdict = "stored"
)

// checkSchema checks the settings that describe the table.
func (c *Config) checkSchema() error {
	switch s := schemaOf(c); {
	case c.Schema == custom && c.Custom == nil:
		return drivers.Field("custom", "describes the table of schema %q, and is missing", custom)
	case s == nil:
		return drivers.Field("schema", "%q is not known; known are %s", c.Schema, strings.Join(schemaNames(), ", "))
	case c.Verdict != "" && c.Verdict != VerdictComputed && c.Verdict != VerdictStored:
		return drivers.Field("verdict", "must be %q or %q", VerdictComputed, VerdictStored)
	case s.rulesFor(c.Verdict) == nil:
		return drivers.Field("verdict", "schema %s has no stored state", c.Schema)
	case c.Schema != custom && c.Custom != nil:
		return drivers.Field("custom", "is read for schema %q only", custom)
	case c.Custom != nil:
		return c.Custom.validate()
	}
	return nil
}
