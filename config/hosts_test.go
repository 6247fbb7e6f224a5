package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/config"
)

// The setting hosts.page reaches the alerts.
func TestHostsPage(t *testing.T) {
	const source = "sources:\n  - {name: zk, driver: zk, zk: {servers: [a]}}\n"
	for text, want := range map[string]bool{"": false, "hosts: {page: suspected}\n": false, "hosts: {page: confirmed}\n": true} {
		c, err := config.Parse("f.yml", []byte(source+text), func(*config.Config) error { return nil })
		require.NoError(t, err)
		require.Equal(t, want, c.Alerting.PageConfirmedHosts, text)
		require.True(t, c.Hosts.IgnoreDomain)
	}
	_, err := config.Parse("f.yml", []byte(source+"hosts: {page: confirm, match: '('}\n"), func(*config.Config) error { return nil })
	require.ErrorContains(t, err, `f.yml:3: hosts.page: "confirm" is not one of suspected, confirmed; did you mean "confirmed"?`)
	require.ErrorContains(t, err, "f.yml:3: hosts.match: ")
}
