package sources

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestService(t *testing.T) {
	alone := sourcesOf(t, `sources:
  - {name: rows, driver: db, db: {dsn: "mysql://h/nova"}}
  - {name: cinder, driver: db, db: {dsn: "mysql://h/cinder", schema: cinder}}
  - {name: znodes, driver: zk, zk: {servers: [h], prefix: /servicegroups}}
  - {name: by_hand, driver: mc, mc: {servers: [h]}, roster: {members: {compute: [c1]}}}
  - {name: by_table, driver: mc, mc: {servers: [h]}, roster: {db: {dsn: "mysql://h/nova"}}}
`)
	for i, want := range []string{"nova", "cinder", "", "", "nova"} {
		require.Equal(t, want, alone[i].Service, alone[i].Name)
	}

	// The rows of a roster do not decide whether members are up.
	sources := sourcesOf(t, `sources:
  - {name: rows, driver: db, db: {dsn: "mysql://h/nova"}}
  - {name: life, driver: mc, mc: {servers: [h]}, roster: {source: rows}}
`)
	require.Empty(t, sources[0].Service)
	require.Equal(t, "nova", sources[1].Service)
	require.NotEqual(t, alone[0].Fingerprint, sources[0].Fingerprint)
}
