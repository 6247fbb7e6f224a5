package main

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// A machine that dies is one page, before its services call it dead. A stall of all reports and a restart of all services of a machine do not
// page, and a machine that was only frozen is one page and its end.
func TestOnePageForAMachine(t *testing.T) {
	t.Parallel() // It waits for most of its time.
	b := &testserver.Bench{Out: os.Stderr}
	var r *result
	require.Zero(t, b.Run(func() { r = measure(b, quickSettings()) }))
	require.Equal(t, notified{}, r.restarted)
	require.Equal(t, notified{}, r.stalled)
	require.Equal(t, notified{firing: 1, resolved: 1}, r.refuted)
	require.Equal(t, notified{firing: 1}, r.killed)
	require.Len(t, r.pages, 1)
	require.Positive(t, r.pages[0])
	var out bytes.Buffer
	print(&out, r)
	require.Contains(t, out.String(), "| 1 firing, 0 resolved |")
}

func TestQuantile(t *testing.T) {
	times := []time.Duration{1, 2, 3, 4}
	require.Equal(t, []time.Duration{2, 4, 4}, []time.Duration{quantile(times, 0.5), quantile(times, 0.95), quantile(times, 1)})
	require.Equal(t, time.Duration(7), quantile([]time.Duration{7}, 0.5))
}
