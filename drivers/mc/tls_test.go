package mc

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/drivertest"
	"servicegroup_exporter/internal/testserver"
)

func TestTLS(t *testing.T) {
	t.Parallel()
	drivertest.RunTLS(t, drivertest.TLSBackend{
		Start: func(t *testing.T, authority *testserver.Authority, certificate *testserver.Certificate) (secure, clear string) {
			t.Helper()
			server := testserver.MemcachedTLS(t, authority, certificate)
			return server.TLSAddr(), server.Addr()
		},
		Open: func(t *testing.T, server string, encryption *drivers.TLS) drivers.Driver {
			t.Helper()
			cfg := config()
			cfg.Servers, cfg.TLS = []string{server}, encryption
			d, err := Open(cfg, rosterOf("one"), slog.New(slog.DiscardHandler))
			require.NoError(t, err)
			return d
		},
	})
}
