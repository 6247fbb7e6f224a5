package zk_test

import (
	"testing"
	"time"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/drivertest"
	"servicegroup_exporter/internal/testserver"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	server := testserver.ZooKeeper(t)
	drivertest.Run(t, drivertest.Backend{
		Open:        func(t *testing.T) drivers.Driver { return open(t, config(server)) },
		DownTime:    sessionTimeout,
		Slack:       500 * time.Millisecond,
		UniqueNames: true,
		Server:      server,
	})
}
