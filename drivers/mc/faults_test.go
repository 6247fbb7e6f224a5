package mc

import (
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// One of two servers goes away: only those are unknown whose heartbeats were on it.
func TestOneOfTwo(t *testing.T) {
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
			d := open(t, cfg, bookOf("on-first", "on-second", "moves", "dies"))
			now := time.Now()
			for name, server := range map[string]int{"on-first": 0, "moves": 0, "on-second": 1, "dies": 1} {
				write(t, d, server, name, now)
			}
			settle(t, d)
			for _, name := range []string{"on-first", "on-second", "moves", "dies"} {
				write(t, d, 1, name, now.Add(-time.Hour)) // Old copies, as outages of long ago leave them, mean nothing.
			}
			for name, server := range map[string]int{"on-first": 0, "moves": 0, "on-second": 1, "dies": 1} {
				write(t, d, server, name, time.Now())
			}
			p := poll(t, d)
			require.Len(t, p.Members, 4)
			require.Equal(t, []string{"up", "up", "up", "up"}, verdicts(p))

			outage.begin()
			write(t, d, 1, "on-second", time.Now())
			write(t, d, 1, "moves", time.Now())
			write(t, d, 1, "dies", time.Now().Add(-time.Hour))
			begun := time.Now()
			p, err := d.Members(short(t, time.Second))
			require.NoError(t, err, "the other server's answer is not lost with the first one's")
			require.Less(t, time.Since(begun), time.Second)
			require.Equal(t, []string{"unknown", "up", "up", "down"}, verdicts(p))
			require.NotNil(t, find(p, "dies"), "who fell silent on a server that answers is dead")

			outage.end()
			write(t, d, 0, "on-first", time.Now())
			eventually(t, d, "on-first", "up")
		})
	}
}

// verdicts are those of the members of TestOneOfTwo.
func verdicts(p *drivers.Poll) []string {
	return []string{verdictOf(p, "on-first"), verdictOf(p, "on-second"), verdictOf(p, "moves"), verdictOf(p, "dies")}
}

// A server that has forgotten everything kills nobody before everybody has had the time to report again.
func TestForgetfulServers(t *testing.T) {
	t.Parallel()
	server := testserver.Memcached(t)
	for _, loss := range []struct {
		name   string
		forget func()
	}{
		{"restarted", func() { server.Kill(); server.Start() }},
		{"flushed", func() { server.Command("flush_all") }},
	} {
		t.Run(loss.name, func(t *testing.T) {
			cfg := config(server)
			cfg.ServiceDownTime = drivers.Duration(50 * time.Millisecond) // so that no proof lasts
			cfg.ReportInterval = drivers.Duration(10 * time.Millisecond)
			d := open(t, cfg, bookOf("survivor", "victim", "corpse"))
			settle(t, d)
			// Heartbeats from the future do not age while this is looked at. Their proof does.
			write(t, d, 0, "survivor", time.Now().Add(time.Hour))
			write(t, d, 0, "victim", time.Now().Add(time.Hour))
			p := poll(t, d)
			require.Equal(t, "up", verdictOf(p, "survivor"))
			require.Equal(t, "down", verdictOf(p, "corpse"))

			loss.forget()
			forgot := time.Now()
			time.Sleep(60 * time.Millisecond) // The proofs end.
			p = poll(t, d)
			require.Equal(t, "unknown", verdictOf(p, "victim"))
			require.Equal(t, "unknown", verdictOf(p, "corpse"), "of those who were dead before nothing is known either")
			write(t, d, 0, "survivor", time.Now().Add(time.Hour))
			require.Equal(t, "up", verdictOf(poll(t, d), "survivor"), "who reports again is known at once")
			eventually(t, d, "victim", "down")
			require.Greater(t, time.Since(forgot), d.settling()-time.Second, "that was too soon")
			require.Less(t, time.Since(forgot), d.settling()+3*time.Second, "that was too late")
		})
	}

	// A flush before the first poll may have been long ago.
	d := open(t, config(server), bookOf("corpse"))
	require.Equal(t, "down", verdictOf(poll(t, d), "corpse"))
}

// A heartbeat that vanishes before its time was dropped to make room.
func TestEviction(t *testing.T) {
	t.Parallel()
	d := open(t, config(testserver.Memcached(t)), bookOf("one"))
	settle(t, d)
	write(t, d, 0, "one", time.Now())
	require.Equal(t, "up", verdictOf(poll(t, d), "one"))
	erase(t, d, 0, "one")
	require.Equal(t, "unknown", verdictOf(poll(t, d), "one"))
	write(t, d, 0, "one", time.Now())
	require.Equal(t, "up", verdictOf(poll(t, d), "one"))
	erase(t, d, 0, "one")
	eventually(t, d, "one", "down")
}

// Servers that are gone for good make everything unknown, in time, without leaving anything behind.
func TestOutage(t *testing.T) {
	first, second := testserver.Memcached(t), testserver.Memcached(t)
	d := open(t, config(first, second), bookOf("one"))
	for _, outage := range []struct {
		name       string
		begin, end func(*testserver.MC)
		reason     drivers.Reason
	}{
		{"stopped", (*testserver.MC).Stop, (*testserver.MC).Start, drivers.ReasonConnect},
		{"frozen", (*testserver.MC).Freeze, (*testserver.MC).Thaw, drivers.ReasonTimeout},
	} {
		t.Run(outage.name, func(t *testing.T) {
			poll(t, d)
			goroutines := runtime.NumGoroutine()
			outage.begin(first)
			outage.begin(second)
			for range 20 {
				begun := time.Now()
				_, err := d.Members(short(t, 100*time.Millisecond))
				require.Less(t, time.Since(begun), time.Second)
				require.ErrorIs(t, err, drivers.ErrUnavailable)
				require.Equal(t, outage.reason, drivers.ReasonOf(err), err)
				require.ErrorContains(t, err, first.Addr())
				require.ErrorContains(t, err, second.Addr())
				require.NotContains(t, err.Error(), "\n")
			}
			// The check itself has goroutines, too.
			require.Eventually(t, func() bool { return runtime.NumGoroutine() <= goroutines+2 }, 5*time.Second, 10*time.Millisecond,
				"goroutines pile up")
			outage.end(first)
			outage.end(second)
			write(t, d, 1, "one", time.Now())
			eventually(t, d, "one", "up")
		})
	}
}

// Closing ends what is under way, and what comes later.
func TestClose(t *testing.T) {
	server := testserver.Memcached(t)
	roster := bookOf("one")
	d := open(t, config(server), roster)
	poll(t, d)
	_, err := d.Join(t.Context(), drivers.JoinRequest{Group: "compute", Name: "one"})
	require.NoError(t, err)
	server.Freeze()
	defer server.Thaw()
	hung := make(chan error)
	go func() {
		_, err := d.Members(t.Context())
		hung <- err
	}()
	require.Never(t, func() bool {
		select {
		case err := <-hung:
			hung <- err
			return true
		default:
			return false
		}
	}, 100*time.Millisecond, 10*time.Millisecond)
	begun := time.Now()
	require.NoError(t, d.Close())
	require.ErrorIs(t, <-hung, drivers.ErrUnavailable)
	require.Less(t, time.Since(begun), time.Second)
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

func TestRosterThatDoesNotClose(t *testing.T) {
	broken := errors.New("broken")
	d, err := Open(config(testserver.Memcached(t)), unclosable{bookOf(), broken}, nil)
	require.NoError(t, err)
	require.ErrorIs(t, d.Close(), broken)
}

type unclosable struct {
	*book
	err error
}

func (u unclosable) Close() error { return u.err }
