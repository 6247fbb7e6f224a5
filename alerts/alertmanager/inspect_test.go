package alertmanager

import (
	"context"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/config"
	"servicegroup_exporter/internal/testserver"
)

// A name with several addresses has a report for each.
func TestInspectEveryAddress(t *testing.T) {
	t.Parallel()
	server := testserver.Alertmanager(t, "route: {receiver: none, group_wait: 1m30s}\nreceivers: [{name: none}]\n")
	c := config.DefaultAlertmanager()
	u, err := url.Parse(strings.Replace(server.URL(), "127.0.0.1", "alertmanager.example", 1))
	require.NoError(t, err)
	c.URL.URL = u
	one, two := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2")
	resolved := func(context.Context, string) ([]netip.Addr, error) { return []netip.Addr{two, one, one}, nil }
	reports := inspect(t.Context(), &c, resolved)
	require.Len(t, reports, 2)
	require.Equal(t, one, reports[0].Address)
	require.NoError(t, reports[0].Err)
	require.NotEmpty(t, reports[0].Version)
	require.Equal(t, 90*time.Second, reports[0].GroupWait)
	require.Equal(t, two, reports[1].Address)
	require.ErrorContains(t, reports[1].Err, "connection refused")
}

func TestGroupWait(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"": 30 * time.Second, "route:\n  group_wait: 5s\n": 5 * time.Second, "  group_wait: 1d\n": 24 * time.Hour,
		"  group_wait: 5s\n  routes:\n  - group_wait: 2m\n    x: y\n": 2 * time.Minute, "  group_wait: never\n": 30 * time.Second,
	} {
		require.Equal(t, want, groupWait(text), text)
	}
}

func TestOffset(t *testing.T) {
	sent := time.Date(2026, 11, 28, 12, 0, 0, 900_000_000, time.UTC)
	received := sent.Add(200 * time.Millisecond)
	for ahead, want := range map[time.Duration]time.Duration{
		0: 0, 100 * time.Millisecond: 0, time.Hour: time.Hour - 1100*time.Millisecond, -time.Hour: -time.Hour + 100*time.Millisecond,
	} {
		require.Equal(t, want, offsetOf(sent.Add(ahead).Truncate(time.Second), sent, received), ahead)
	}
}
