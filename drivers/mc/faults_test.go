package mc

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// While one of two servers can't be read, only the members whose heartbeats it had are unknown.
func TestOneOfTwoServers(t *testing.T) {
	t.Parallel()
	first, second := testserver.Memcached(t), testserver.Memcached(t)
	for _, outage := range []struct {
		name       string
		begin, end func()
	}{
		{"stopped", first.Stop, first.Start},
		{"frozen", first.Freeze, first.Thaw},
	} {
		t.Run(outage.name, func(t *testing.T) {
			cfg := config(first, second)
			cfg.ServiceDownTime = drivers.Duration(time.Minute)
			d := open(t, cfg, rosterOf("on-first", "on-second", "moves", "dies"))
			now := time.Now()
			for name, server := range map[string]int{"on-first": 0, "moves": 0, "on-second": 1, "dies": 1} {
				write(t, d, server, name, now)
			}
			waitUntilTrusted(t, d)
			for _, name := range []string{"on-first", "on-second", "moves", "dies"} {
				write(t, d, 1, name, now.Add(-time.Hour)) // Old copies, as earlier outages leave them, have no effect.
			}
			for name, server := range map[string]int{"on-first": 0, "moves": 0, "on-second": 1, "dies": 1} {
				write(t, d, server, name, time.Now())
			}
			p := poll(t, d)
			require.Len(t, p.Members, 4)
			require.Equal(t, []string{"up", "up", "up", "up"}, fourVerdicts(p))

			outage.begin()
			write(t, d, 1, "on-second", time.Now())
			write(t, d, 1, "moves", time.Now())
			write(t, d, 1, "dies", time.Now().Add(-time.Hour))
			p, err := d.Members(short(t, time.Second)) // TestTimeOfOneServer measures how long it takes.
			require.NoError(t, err, "the answer of the other server is used")
			require.Equal(t, []string{"unknown", "up", "up", "down"}, fourVerdicts(p))
			require.NotNil(t, find(p, "dies"), "a member whose server answers, and whose heartbeats stopped, is down")

			outage.end()
			write(t, d, 0, "on-first", time.Now())
			eventually(t, d, "on-first", "up")
		})
	}
}

// fourVerdicts returns the verdicts about the members of TestOneOfTwoServers.
func fourVerdicts(p *drivers.Poll) []string {
	return []string{verdictOf(p, "on-first"), verdictOf(p, "on-second"), verdictOf(p, "moves"), verdictOf(p, "dies")}
}

// After a server lost its data, no member is down before all had the time to write again.
func TestServersThatLoseTheirData(t *testing.T) {
	t.Parallel()
	server := testserver.Memcached(t)
	for _, loss := range []struct {
		name string
		do   func()
	}{
		{"restarted", func() { server.Kill(); server.Start() }},
		{"flushed", func() { server.Command("flush_all") }},
	} {
		t.Run(loss.name, func(t *testing.T) {
			cfg := config(server)
			cfg.ServiceDownTime = drivers.Duration(50 * time.Millisecond) // so that proofs of life end soon
			cfg.ReportInterval = drivers.Duration(10 * time.Millisecond)
			d := open(t, cfg, rosterOf("survivor", "victim", "dead"))
			waitUntilTrusted(t, d)
			// Heartbeats from the future do not age during the test, but the proof of life does: its time is that of the poll.
			write(t, d, 0, "survivor", time.Now().Add(time.Hour))
			write(t, d, 0, "victim", time.Now().Add(time.Hour))
			p := poll(t, d)
			require.Equal(t, "up", verdictOf(p, "survivor"))
			require.Equal(t, "down", verdictOf(p, "dead"))

			loss.do()
			lost := time.Now()
			time.Sleep(60 * time.Millisecond) // The lastSeenOfAll end.
			p = poll(t, d)
			require.Equal(t, "unknown", verdictOf(p, "victim"))
			require.Equal(t, "unknown", verdictOf(p, "dead"), "a member that was down before is unknown too")
			write(t, d, 0, "survivor", time.Now().Add(time.Hour))
			require.Equal(t, "up", verdictOf(poll(t, d), "survivor"), "a member that writes again is up at once")
			eventually(t, d, "victim", "down")
			require.Greater(t, time.Since(lost), d.settling()-time.Second, "that was too soon")
			t.Logf("down %v after the loss", time.Since(lost)) // TestSettlingTime has the bound.
		})
	}

	// A flush before the first poll counts as long ago.
	d := open(t, config(server), rosterOf("dead"))
	require.Equal(t, "down", verdictOf(poll(t, d), "dead"))
}

// A heartbeat that vanishes while it is fresh was dropped to make room: the member is unknown until it would be too old.
func TestEviction(t *testing.T) {
	t.Parallel()
	d := open(t, config(testserver.Memcached(t)), rosterOf("one"))
	waitUntilTrusted(t, d)
	write(t, d, 0, "one", time.Now())
	require.Equal(t, "up", verdictOf(poll(t, d), "one"))
	erase(t, d, 0, "one")
	require.Equal(t, "unknown", verdictOf(poll(t, d), "one"))
	write(t, d, 0, "one", time.Now())
	require.Equal(t, "up", verdictOf(poll(t, d), "one"))
	erase(t, d, 0, "one")
	eventually(t, d, "one", "down")
}

// If no server can be read, polls fail in time and leave no goroutines behind.
func TestOutage(t *testing.T) {
	first, second := testserver.Memcached(t), testserver.Memcached(t)
	cfg := config(first, second)
	cfg.Timeout = drivers.Duration(time.Hour) // Only the context ends a poll of frozen servers.
	d := open(t, cfg, rosterOf("one"))
	for _, outage := range []struct {
		name       string
		begin, end func(*testserver.MC)
		ctx        func(t *testing.T) context.Context
		reason     drivers.Reason
	}{
		{"stopped", (*testserver.MC).Stop, (*testserver.MC).Start, (*testing.T).Context, drivers.ReasonConnect},
		{"frozen", (*testserver.MC).Freeze, (*testserver.MC).Thaw, func(t *testing.T) context.Context {
			t.Helper()
			return short(t, 100*time.Millisecond)
		}, drivers.ReasonTimeout},
	} {
		t.Run(outage.name, func(t *testing.T) {
			poll(t, d)
			goroutines := runtime.NumGoroutine()
			outage.begin(first)
			outage.begin(second)
			for range 20 {
				_, err := d.Members(outage.ctx(t))
				require.ErrorIs(t, err, drivers.ErrUnavailable)
				require.Equal(t, outage.reason, drivers.ReasonOf(err), err)
				require.ErrorContains(t, err, first.Addr())
				require.ErrorContains(t, err, second.Addr())
				require.NotContains(t, err.Error(), "\n")
			}
			// Eventually itself has goroutines.
			require.Eventually(t, func() bool { return runtime.NumGoroutine() <= goroutines+2 }, time.Minute, 10*time.Millisecond,
				"goroutines pile up")
			outage.end(first)
			outage.end(second)
			write(t, d, 1, "one", time.Now())
			eventually(t, d, "one", "up")
		})
	}
}

// Close ends the calls under way, and calls after it fail.
func TestClose(t *testing.T) {
	t.Parallel()
	server := testserver.Memcached(t)
	roster := rosterOf("one")
	cfg := config(server)
	cfg.Timeout = drivers.Duration(time.Hour) // Only Close ends the call under way.
	d := open(t, cfg, roster)
	poll(t, d)
	_, err := d.Join(t.Context(), drivers.JoinRequest{Group: "compute", Name: "one"})
	require.NoError(t, err)
	server.Freeze()
	defer server.Thaw()
	requests := d.operations.Load()
	hung := make(chan error)
	go func() {
		_, err := d.Members(t.Context())
		hung <- err
	}()
	testserver.Eventually(t, func() bool { return d.operations.Load() > requests }, time.Minute, time.Millisecond, "the call is under way")
	require.NoError(t, d.Close())
	require.ErrorIs(t, <-hung, drivers.ErrUnavailable)
	require.Equal(t, 1, roster.closed)

	_, err = d.Members(t.Context())
	require.ErrorIs(t, err, drivers.ErrUnavailable)
	require.ErrorContains(t, err, "the driver is closed")
	_, err = d.Join(t.Context(), drivers.JoinRequest{Group: "compute", Name: "one"})
	require.ErrorIs(t, err, drivers.ErrUnavailable)
	require.ErrorIs(t, d.Leave(t.Context(), "compute", "one"), drivers.ErrUnavailable)
	require.NoError(t, d.Close())
	require.Equal(t, 1, roster.closed)
}

func TestCloseReturnsTheRostersError(t *testing.T) {
	broken := errors.New("broken")
	d, err := Open(config(testserver.Memcached(t)), failingClose{rosterOf(), broken}, nil)
	require.NoError(t, err)
	require.ErrorIs(t, d.Close(), broken)
}

type failingClose struct {
	*fakeRoster
	err error
}

func (u failingClose) Close() error { return u.err }
