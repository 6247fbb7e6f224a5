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

	// What the rows of a roster say about life is not the verdict that counts.
	judged := sourcesOf(t, `sources:
  - {name: rows, driver: db, db: {dsn: "mysql://h/nova"}}
  - {name: life, driver: mc, mc: {servers: [h]}, roster: {source: rows}}
`)
	require.Empty(t, judged[0].Service)
	require.Equal(t, "nova", judged[1].Service)
	require.NotEqual(t, alone[0].Fingerprint, judged[0].Fingerprint)
}
