package zk_test

import (
	"testing"
	"time"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/drivertest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	server := emptyServer(t)
	drivertest.Run(t, drivertest.Backend{
		Open:        func(t *testing.T) drivers.Driver { return open(t, config(server)) },
		DownTime:    sessionTimeout,
		Slack:       500 * time.Millisecond,
		UniqueNames: true,
		Server:      server,
	})
}
