package zk_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/drivertest"
	"servicegroup_exporter/drivers/zk"
	"servicegroup_exporter/internal/testserver"
)

// sessionTimeout is short, so that tests are; the test servers' tick of 250 ms allows it.
const sessionTimeout = time.Second

// expiry bounds the time from a member's last sign of life until its znode is gone: the session timeout, a tick, and
// what a busy machine adds.
const expiry = sessionTimeout + 250*time.Millisecond + 5*time.Second

// prompt bounds what waits for no time limit.
const prompt = 10 * time.Second

// config gives a configuration for the servers.
func config(servers ...*testserver.ZK) zk.Config {
	cfg := zk.DefaultConfig()
	cfg.SessionTimeout = drivers.Duration(sessionTimeout)
	for _, s := range servers {
		cfg.Servers = append(cfg.Servers, s.Addr())
	}
	return cfg
}

// open opens a driver that is closed when the test ends.
func open(t *testing.T, cfg zk.Config) *zk.Driver {
	t.Helper()
	d, err := zk.Open(cfg, slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

func TestConformance(t *testing.T) {
	server := testserver.ZooKeeper(t)
	drivertest.Run(t, drivertest.Backend{
		Open:       func(t *testing.T) drivers.Driver { return open(t, config(server)) },
		DownTime:   sessionTimeout,
		Slack:      500 * time.Millisecond,
		HoldsNames: true,
		Server:     server,
	})
}
