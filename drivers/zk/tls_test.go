package zk_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk"
	"servicegroup_exporter/internal/drivertest"
	"servicegroup_exporter/internal/testserver"
)

func TestTLS(t *testing.T) {
	t.Parallel()
	drivertest.RunTLS(t, drivertest.TLSBackend{
		Start: func(t *testing.T, authority *testserver.Authority, certificate *testserver.Certificate) (secure, clear string) {
			t.Helper()
			server := testserver.ZooKeeperTLS(t, authority, certificate)
			return server.TLSAddr(), server.Addr()
		},
		Open: func(t *testing.T, server string, encryption *drivers.TLS) drivers.Driver {
			t.Helper()
			cfg := configFor(server)
			cfg.TLS = encryption
			d, err := zk.Open(cfg, discard())
			require.NoError(t, err)
			return d
		},
	})
}

// Members can join over TLS, with a certificate as their identity. The question for the version is encrypted, too.
func TestJoinOverTLS(t *testing.T) {
	t.Parallel()
	authority := testserver.NewAuthority(t)
	server := testserver.ZooKeeperTLS(t, authority, authority.Issue("localhost"))
	client := authority.Issue("client")
	cfg := configFor(server.TLSAddr())
	cfg.SessionTimeout = drivers.Duration(time.Minute) // Handshakes take long on a busy machine.
	cfg.TLS = &drivers.TLS{
		CAFile: authority.File, CertFile: client.CertFile, KeyFile: client.KeyFile, ServerName: "localhost",
	}
	cfg.ACL = []string{"auth::cdrwa", "world:anyone:r"}
	owner, anonymous := open(t, cfg), open(t, config(server))
	m := join(t, owner, "group", "one")
	// A server that is slow to answer is not asked again within a session.
	testserver.Eventually(t, func() bool { return strings.Contains(poll(t, open(t, cfg)).Backend, "3.") }, prompt,
		10*time.Millisecond, "the version is known")
	require.Equal(t, map[string]string{"group/one": "up"}, states(poll(t, anonymous)))
	require.Equal(t, drivers.ReasonAuth, drivers.ReasonOf(anonymous.Leave(t.Context(), "group", "one")))
	require.NoError(t, m.Leave(t.Context()))
}
