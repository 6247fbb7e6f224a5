package drill

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// A drill ends by itself when its backend does not answer, says why, and reports what was measured until then. Nothing is left
// to wait for: the tests have no limit of their own.
func TestDrillEndsWithTheReason(t *testing.T) {
	t.Parallel()
	quick := func(b backend) backend {
		b.PollTimeout = time.Second
		return b
	}
	type server interface {
		Freeze()
		Thaw()
	}
	limited := testserver.ZooKeeper(t, "maxClientCnxns=10")
	mysql, caches := testserver.MariaDB(t), testserver.Memcached(t)
	createTable(t, mysql.Open(t, "own"), "servicegroup_canary.mysql.sql")
	for name, c := range map[string]struct {
		backend  backend
		freeze   server // when the phase begins; it answers again when the members are removed
		phase    string
		want     []string // of the error; none: the drill is complete
		joinedAt [2]int   // at least and at most
	}{
		"ZooKeeper's connection limit": {
			quick(zkBackend(0, limited)), nil, "",
			[]string{"of 15 members have joined", "maxClientCnxns in zoo.cfg (60 by default", "or let fewer members join"},
			[2]int{1, 10},
		},
		"MariaDB hangs while members join": {
			quick(backend{Source: dbSource("mysql://canary:change%20me@" + mysql.Addr() + "/own")}), mysql, "joining",
			[]string{"0 of 15 members have joined", "joining group"},
			[2]int{0, 0},
		},
		"memcached hangs while members join": {
			quick(memcachedAt(caches)), caches, "joining",
			[]string{"of 15 members have joined", "no answer in time"},
			[2]int{0, 14},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opts := options(t, c.backend.Source)
			opts.Members, opts.Rate, opts.Baseline, opts.Duration = 15, 20, 0, time.Second
			opts.Progress = printed{t.Output(), func(text string) {
				switch {
				case c.freeze == nil:
				case strings.HasPrefix(text, c.phase):
					c.freeze.Freeze()
				case strings.HasPrefix(text, "removing"):
					c.freeze.Thaw()
				}
			}}
			report, err := Run(t.Context(), opts)
			joined := 0
			if report != nil {
				joined = report.Joining.Joined
				require.Equal(t, len(c.want) > 0, report.EndedEarly != "")
			}
			require.GreaterOrEqual(t, joined, c.joinedAt[0])
			require.LessOrEqual(t, joined, c.joinedAt[1])
			for _, want := range c.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

// A backend that hangs while the scenarios run does not delay their end.
func TestScenariosEndThoughTheBackendHangs(t *testing.T) {
	t.Parallel()
	server := testserver.ZooKeeper(t)
	b := zkBackend(0, server)
	b.PollTimeout = time.Second
	opts := options(t, b.Source)
	opts.Members, opts.Kill, opts.Flap, opts.Partition, opts.Pause = 6, 0.4, 0.4, 0, 0
	opts.Baseline, opts.Duration = 0, 3*downTime
	opts.Progress = printed{t.Output(), func(text string) {
		switch {
		case strings.HasPrefix(text, "running the scenarios") && !strings.Contains(text, "after"):
			server.Freeze()
		case strings.HasPrefix(text, "removing") && !strings.Contains(text, "after"):
			server.Thaw()
		}
	}}
	report, err := Run(t.Context(), opts)
	require.NoError(t, err)
	require.Empty(t, report.EndedEarly)
	require.Positive(t, report.Outages.Count)
	require.InDelta(t, opts.Duration.Seconds(), report.Duration, 60, "the scenarios end when their time is over")
}
