package drivertest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// A call ends when its context ends.
func (b Backend) testContext(t *testing.T) {
	d := b.open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := d.Members(ctx)
	require.ErrorIs(t, err, drivers.ErrUnavailable)
	members(t, d) // The driver can still be used.
}

func (b Backend) testClose(t *testing.T) {
	d := b.Open(t)
	members(t, d)
	require.NoError(t, d.Close())
	require.NoError(t, d.Close(), "a second Close does nothing")
	_, err := read(t, d)
	require.ErrorIs(t, err, drivers.ErrUnavailable)
}

func (b Backend) testConcurrent(t *testing.T) {
	d := b.open(t)
	membership := b.join(t, "concurrent", "one")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			poll, err := read(t, d)
			if err != nil || verdict(poll, "concurrent", "one") != "up" {
				t.Errorf("poll %v, error %v", poll, err)
			}
		})
	}
	wg.Wait()
	require.NoError(t, membership.Leave(t.Context()))
}

// While the server is stopped, polls fail in bounded time. When it is back, polls and heartbeats succeed again.
func (b Backend) testStopped(t *testing.T) {
	b.testOutage(t, "stopped", b.Server.Stop, b.Server.Start)
}

// The same is true of a server that keeps its connections open but does not answer.
func (b Backend) testFrozen(t *testing.T) {
	b.testOutage(t, "frozen", b.Server.Freeze, b.Server.Thaw)
}

func (b Backend) testOutage(t *testing.T, group string, begin, end func()) {
	d := b.open(t)
	membership := b.join(t, group, "one")
	require.Equal(t, "up", verdict(members(t, d), group, "one"))

	begin()
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		_, err := d.Members(ctx)
		cancel()
		require.ErrorIs(t, err, drivers.ErrUnavailable)
	}
	require.NoError(t, b.Open(t).Close(), "Close does not wait for the server, which comes back only after it")
	end()

	// The reader and the member both recover by themselves.
	eventually(t, d, b.DownTime+b.Slack+prompt, group, "one", "up")
	require.NoError(t, membership.Err())
	testserver.Eventually(t, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), prompt)
		defer cancel()
		return d.(drivers.Joiner).Leave(ctx, group, "one") == nil
	}, prompt, 50*time.Millisecond, "the member can leave")
}

// A driver that is a Watcher signals changes.
func (b Backend) testWatch(t *testing.T) {
	d := b.open(t)
	watcher, ok := d.(drivers.Watcher)
	if !ok {
		return // Not every backend can notify.
	}
	settle := func() {
		t.Helper()
		for quiet := false; !quiet; {
			members(t, d)
			select {
			case <-watcher.Changed():
			case <-time.After(200 * time.Millisecond):
				quiet = true
			}
		}
	}
	expect := func(what string, within time.Duration) {
		t.Helper()
		select {
		case <-watcher.Changed():
		case <-time.After(within):
			t.Fatalf("no signal after %s", what)
		}
	}
	settle()
	membership := b.join(t, "watch", "one")
	expect("a join", prompt)
	settle()
	membership.Abandon()
	expect("a death", b.DownTime+b.Slack+prompt)
	require.Equal(t, "down", verdict(members(t, d), "watch", "one"))
	settle()
	require.NoError(t, d.(drivers.Joiner).Leave(t.Context(), "watch", "one"))
	expect("a leave", prompt)
}
