package zk_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk"
	"servicegroup_exporter/internal/testserver"
)

// A server that requires SASL is named as such by a poll and by a join, with the reason auth. docs/security.md says the same.
func TestSASLIsRequired(t *testing.T) {
	t.Parallel()
	server := testserver.ZooKeeper(t, "enforce.auth.enabled=true", "enforce.auth.schemes=sasl",
		"authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider")
	for _, auth := range []zk.Auth{{}, {User: "user", Password: drivers.SecretText("password")}} {
		cfg := config(server)
		cfg.Auth = auth
		d := open(t, cfg)
		for range 2 {
			_, err := read(t, d)
			require.Equal(t, drivers.ReasonAuth, drivers.ReasonOf(err), "%v", err)
			require.ErrorContains(t, err, "requires SASL")
		}
		_, err := d.Join(t.Context(), drivers.JoinRequest{Group: "g", Name: "n"})
		require.Equal(t, drivers.ReasonAuth, drivers.ReasonOf(err), "%v", err)
		require.ErrorContains(t, err, "requires SASL")
	}
}
