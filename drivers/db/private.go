package db

import (
	"net/url"

	"servicegroup_exporter/drivers"
)

// ownTableName is the table for members that are nobody's but this program's.
const ownTableName = "servicegroup_canary"

// Private gives the configuration of a place in the same database that no other source reads: the table
// servicegroup_canary, with the rule, the times and the exactness of Nova's, whatever the schema. An operator makes it:
// docs/drill.md says how. Beside an embedded store it is a file of its own, which makes itself.
func (c Config) Private() Config {
	c.NovaConf, c.Cells, c.Custom, c.Rule = nil, nil, nil, ""
	c.Schema = "nova"
	if t, err := c.target(); err == nil && t.isFile() {
		c.DSN = drivers.SecretText("sqlite:///" + (&url.URL{Path: t.path + ".canary"}).EscapedPath())
		return c
	}
	c.private = true
	return c
}

// ownTable is servicegroup_canary. Its rows vanish when members leave: there is nobody to archive them.
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
