package db

import (
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

// Canaries never write to a service's own table.
func TestPrivate(t *testing.T) {
	for _, schema := range schemaNames() {
		cfg := config("mysql://canary@db1/nova")
		cfg.Schema, cfg.Verdict = schema, VerdictStored
		if schema == custom {
			cfg.Custom = &Custom{Table: "workers", GroupName: "g", Name: "n", Heartbeat: []string{"h"}}
		}
		own := cfg.Private()
		require.NoError(t, own.Validate(), schema)
		require.Equal(t, ownTableName, schemaOf(&own).table, schema)
		require.NotNil(t, schemaOf(&own).writer, schema)
		require.Equal(t, schema, cfg.Schema, "Private does not modify the source's configuration")
	}
	file := config("sqlite:////var/lib/a%20b/members.db").Private()
	require.Equal(t, drivers.SecretText("sqlite:////var/lib/a%20b/members.db.canary"), file.DSN)
	require.NoError(t, file.Validate())
	require.Equal(t, "services", schemaOf(&file).table, "in a second file the table has its usual name")
}
