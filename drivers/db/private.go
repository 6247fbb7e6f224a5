package db

import (
	"net/url"

	"servicegroup_exporter/drivers"
)

// ownTableName is the table of the canaries, which are members of this program.
const ownTableName = "servicegroup_canary"

// Private returns the configuration of a table in the same database that no other source reads: servicegroup_canary, with
// Nova's rule, times and column types for every schema. An operator creates it, as docs/drill.md describes. For an SQLite
// file it is a second file, which the driver creates.
func (c Config) Private() Config {
	c.Custom, c.Verdict = nil, ""
	c.Schema = "nova"
	if t, err := c.target(); err == nil && t.isFile() {
		c.DSN = drivers.SecretText("sqlite:///" + (&url.URL{Path: t.path + ".canary"}).EscapedPath())
		return c
	}
	c.private = true
	return c
}

// ownTable is the schema of servicegroup_canary. Rows are removed when members leave, because no service archives them.
func ownTable() *schema {
	return &schema{
		table: ownTableName, key: "id",
		group: "topic", name: "host", binary: "binary",
		rules: []rule{{heartbeat: []string{"last_seen_up", "created_at"}}},
		times: seconds(60, 10), corrects: true,
		writer: &writer{
			created: "created_at", reportCount: "report_count", beats: []string{"last_seen_up"},
			binaryPrefix: "servicegroup-",
		},
	}
}
