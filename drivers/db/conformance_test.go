package db

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/drivertest"
	"servicegroup_exporter/internal/testserver"
)

func TestConformanceMariaDB(t *testing.T) {
	t.Parallel()
	server := testserver.MariaDB(t)
	table(t, server, "nova", zed)
	// Nova's columns have whole seconds: a heartbeat looks up to one second older than it is.
	conform(t, server.DSN("nova"), 3*time.Second, time.Second, server)
}

func TestConformanceSQLite(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state", "members.db")
	conform(t, "sqlite:///"+path, 2*time.Second, 100*time.Millisecond, nil)
}

func conform(t *testing.T, dsn string, downTime, slack time.Duration, server drivertest.Server) {
	t.Helper()
	drivertest.Run(t, drivertest.Backend{
		Open: func(t *testing.T) drivers.Driver {
			cfg := config(dsn)
			cfg.ServiceDownTime = drivers.Duration(downTime)
			cfg.ReportInterval = drivers.Duration(downTime / 6)
			cfg.Timeout = drivers.Duration(downTime)
			d, err := Open(cfg, slog.New(slog.NewTextHandler(logWriter{t}, nil)))
			require.NoError(t, err)
			return d
		},
		DownTime: downTime, Slack: slack, Server: server,
	})
}

// logWriter writes a driver's log to the log of the test, which is shown when the test fails.
type logWriter struct{ t *testing.T }

func (w logWriter) Write(line []byte) (int, error) {
	w.t.Log(string(line))
	return len(line), nil
}
