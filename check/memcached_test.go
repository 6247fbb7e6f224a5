package check_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

func mcSource(servers, settings, roster string) string {
	return fmt.Sprintf("sources:\n- name: mc\n  driver: mc\n  mc: {servers: [%s], service_down_time: 20s, report_interval: 1s%s}\n"+
		"  roster: {%s}\n  poll_interval: 1s\n", servers, settings, roster)
}

func TestMemcached(t *testing.T) {
	t.Parallel()
	server := testserver.Memcached(t)
	const given = "members: {compute: [c1, c2]}"
	join(t, mcSource(server.Addr(), "", given), "c1", "c2")
	t.Run("cases", func(t *testing.T) {
		for name, test := range map[string]struct{ servers, settings, roster, subject, says string }{
			"version":       {server.Addr(), "", given, "server", "ok: memcached 1."},
			"members":       {server.Addr(), "", given, "members", "1 group, 2 members: 2 up"},
			"roster":        {server.Addr(), "", given, "roster", "ok: the roster lists 2 members"},
			"empty roster":  {server.Addr(), "", "db: {dsn: 'sqlite:///" + t.TempDir() + "/none.db'}", "roster", "warning: the roster lists no members"},
			"broken roster": {server.Addr(), "", "db: {dsn: 'mysql://u:x@" + closedPort(t) + "/nova'}", "roster", "failure: the roster can't be read (connect): "},
			"one is down":   {server.Addr() + ", '" + closedPort(t) + "'", "", given, "server", "failure: memcached 127.0.0.1:"},
			"wrong port":    {closedPort(t), "", given, "read", "failure: can't be read (connect): "},
			"TLS on clear":  {server.Addr(), ", tls: {}", given, "read", "failure: can't be read ("},
			"accounts":      {server.Addr(), "", given, "login", "ok: memcached has no accounts"},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				lines := run(t, mcSource(test.servers, test.settings, test.roster), patient)
				require.Contains(t, of(lines, "source mc", test.subject), test.says)
			})
		}
	})
	t.Run("frozen", func(t *testing.T) {
		server.Freeze()
		defer server.Thaw()
		lines := run(t, mcSource(server.Addr(), "", given), impatient)
		require.Contains(t, of(lines, "source mc", "read"), "failure: can't be read (timeout): ")
	})
}
