package main

import (
	"bytes"
	"os"
	"slices"
	"testing"
	"time"

	"servicegroup_exporter/internal/testserver"

	"github.com/stretchr/testify/require"
)

// Every death causes exactly one page, without delay, and the hardest fault causes none.
func TestPages(t *testing.T) {
	t.Run("deaths", func(t *testing.T) {
		t.Parallel()
		var r *result
		b := &testserver.Bench{Out: os.Stderr}
		require.Zero(t, b.Run(func() { r = measureDeaths(b, faultSettings(mariadb), 4) }))
		require.Len(t, r.deaths, 4)
		for _, d := range r.deaths {
			require.Equal(t, 1, d.firing)
			require.Equal(t, 1, d.resolved)
			require.True(t, d.killed.Before(d.detected) && d.detected.Before(d.accepted) && d.detected.Before(d.notified), "%+v", d)
			// The rules take at least two seconds. The exact latency of the bridge is measured by the program.
			require.Less(t, d.accepted.Sub(d.detected), 2*time.Second)
		}
		var out bytes.Buffer
		printDeaths(&out, []*result{r})
		require.Contains(t, out.String(), "| 4 of 4 |")
	})
	t.Run("faults", func(t *testing.T) {
		t.Parallel()
		hardest := slices.DeleteFunc(allFaults(), func(f fault) bool { return f.name != "exporter restarted while the backend is down" })
		require.Len(t, hardest, 1)
		var outcomes []outcome
		b := &testserver.Bench{Out: os.Stderr}
		require.Zero(t, b.Run(func() { outcomes = runFaults(b, faultSettings(zookeeper), hardest) }))
		o := outcomes[0]
		require.Zero(t, o.firing, "false pages")
		require.Zero(t, o.resolved, "false resolves")
		require.Zero(t, o.lost, "alerts that Alertmanager has lost")
		require.True(t, o.next.exact(), "%+v", o.next)
	})
}
