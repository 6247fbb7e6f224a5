package api

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The API shows who is suspected and for how long the heartbeat is overdue, why a member can't be suspected, and how a suspicion ended.
func TestSuspicion(t *testing.T) {
	inTime(t, func(t *testing.T) {
		b := newBench(t, "suspicious")
		var last time.Time
		for range 6 {
			last = time.Now()
			b.sources["suspicious"].has(beat("c1", true, last), beat("c2", true, last), up("web", "w1"))
			b.pollIn(10 * time.Second)
		}
		c1 := "/api/v1/member?group=compute&member=c1"
		require.Contains(t, b.ok(c1), `"suspected":false,"reporting_interval_seconds":10}`)
		require.Contains(t, b.ok("/api/v1/member?group=web&member=w1"), `"suspected":false,"not_suspected":"no_heartbeats"}`)

		b.sources["suspicious"].has(beat("c1", true, last), beat("c2", true, time.Now()), up("web", "w1"))
		b.pollIn(7 * time.Second)
		b.sources["suspicious"].has(beat("c1", true, last), beat("c2", true, time.Now()), up("web", "w1"))
		b.pollIn(10 * time.Second)
		require.Contains(t, b.ok(c1), `"state":"up","in_service":true,"down":false`)
		require.Contains(t, b.ok(c1), `"suspected":true,"suspected_since":"2000-01-01T00:01:17Z","silent_since":"2000-01-01T00:00:50Z",`+
			`"overdue_seconds":17,"reporting_interval_seconds":10}`)
		require.Contains(t, b.ok("/api/v1/events?limit=1"), `"event":"suspect","source":"suspicious","group":"compute","member":"c1",`+
			`"binary":"nova-compute","zone":"az1","latency_seconds":27}`)

		b.sources["suspicious"].has(beat("c1", true, time.Now()), beat("c2", true, time.Now()), up("web", "w1"))
		b.pollIn(time.Second)
		require.Contains(t, b.ok("/api/v1/events?limit=1"), `"event":"refute"`)
		require.Contains(t, b.ok("/api/v1/events?limit=1"), `"latency_seconds":28,"outcome":"refuted"}`)
		require.Contains(t, b.ok(c1), `"not_suspected":"probation"}`)
	})
}
