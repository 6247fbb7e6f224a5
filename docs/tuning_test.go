package docs_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/collector/tracker"
	"servicegroup_exporter/config"
	"servicegroup_exporter/internal/testserver"
)

// The page about tuning is followed, and its table has what the program computes: the suspicion by its rule, the rest by check.
func TestTuning(t *testing.T) {
	s := newSite(t)
	s.member(t, "compute", "compute-1", 0)
	text, err := os.ReadFile("tuning.md")
	require.NoError(t, err)
	rows := regexp.MustCompile(`(?m)^\| (\d+s) \| (\d+s) \| (\d+s) \| (\d+s) \| (\S+|no sooner) \| (\S+) \| (\S+) \|$`).FindAllStringSubmatch(string(text), -1)
	require.Len(t, rows, 5)
	margin := time.Duration(config.DefaultSuspicion().Margin)
	for _, row := range rows {
		report, timeout, every, wait := duration(t, row[1]), duration(t, row[2]), duration(t, row[3]), duration(t, row[4])
		suspected := tracker.Suspicion{Enabled: true, Margin: margin}.Longest(report, every)
		if suspected < timeout {
			require.Equal(t, duration(t, row[5]), suspected, row[0])
		} else {
			require.Equal(t, "no sooner", row[5], row[0])
		}
		require.Equal(t, duration(t, row[6]), timeout+every, row[0])
		require.Equal(t, duration(t, row[7]), timeout+every+wait, row[0])
	}

	alertmanager := testserver.Alertmanager(t, "route: {receiver: none, group_wait: 5s}\nreceivers: [{name: none}]\n")
	s.configure(t, strings.NewReplacer("service_down_time: 1h", "service_down_time: 60s", "poll_interval: 200ms", "poll_interval: 5s").Replace(s.source())+
		fmt.Sprintf("alerting: {alertmanagers: [{url: %q}]}\n", "http://"+alertmanager.Addr()))
	s.follow(t, "tuning.md", 1)
}

func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	require.NoError(t, err)
	return d
}
