// Package drivertest is the conformance suite that every driver must pass, against the real server of its backend. It tests
// the promises of the interfaces in package drivers: a new driver calls [Run] in a test, and [RunTLS] if it can use TLS.
package drivertest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

// A Backend is a real server and how to reach it.
type Backend struct {
	// Open returns a new driver for the backend, as another process would open. The suite closes it.
	Open func(t *testing.T) drivers.Driver

	// DownTime is how long an abandoned member may stay up by the driver's rule. Slack is added for the granularity of the
	// backend, such as whole seconds in a table, or ticks of a server.
	DownTime, Slack time.Duration

	// UniqueNames means that only one live process can have a name.
	UniqueNames bool

	// Refuses reports whether the backend can't store a name; nil if it can store all.
	Refuses func(name string) bool

	// Server is the server that the suite stops and freezes; nil if the backend is not a server.
	Server Server
}

// A Server can be stopped and paused.
type Server interface {
	Stop()
	Start()
	Freeze()
	Thaw()
}

// prompt is how long a test waits for operations that need not wait for a timeout of the backend, before it fails.
const prompt = time.Minute

// Run runs the suite. Every test uses groups of its own.
func Run(t *testing.T, b Backend) {
	t.Run("empty", b.testEmpty)
	t.Run("join", b.testJoin)
	t.Run("stays", b.testStays)
	t.Run("leave", b.testLeave)
	t.Run("removed", b.testRemoved)
	t.Run("die", b.testDie)
	t.Run("abandon", b.testAbandon)
	t.Run("names", b.testNames)
	t.Run("context", b.testContext)
	t.Run("close", b.testClose)
	t.Run("concurrent", b.testConcurrent)
	if b.UniqueNames {
		t.Run("taken", b.testTaken)
	}
	if b.Server != nil {
		t.Run("stopped", b.testStopped)
		t.Run("frozen", b.testFrozen)
	}
	t.Run("watch", b.testWatch)
}

// open opens a driver that is closed when the test ends.
func (b Backend) open(t *testing.T) drivers.Driver {
	t.Helper()
	d := b.Open(t)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

// join joins a member through a driver of its own, like a separate process.
func (b Backend) join(t *testing.T, group, name string) drivers.Membership {
	t.Helper()
	joiner, ok := b.open(t).(drivers.Joiner)
	require.True(t, ok, "the driver is not a Joiner")
	ctx, cancel := context.WithTimeout(t.Context(), prompt)
	defer cancel()
	membership, err := joiner.Join(ctx, drivers.JoinRequest{Group: group, Name: name})
	require.NoError(t, err)
	t.Cleanup(membership.Abandon)
	return membership
}

// members polls the backend. An error fails the test.
func members(t *testing.T, d drivers.Driver) *drivers.Poll {
	t.Helper()
	poll, err := read(t, d)
	require.NoError(t, err)
	return poll
}

// read polls the backend with a timeout.
func read(t *testing.T, d drivers.Driver) (*drivers.Poll, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), prompt)
	defer cancel()
	return d.Members(ctx)
}

// find returns the member, or nil if the poll does not have it.
func find(poll *drivers.Poll, group, name string) *drivers.Member {
	for i := range poll.Members {
		if m := &poll.Members[i]; m.Group == group && m.Name == name {
			return m
		}
	}
	return nil
}

// verdict returns "up", "down" or "absent".
func verdict(poll *drivers.Poll, group, name string) string {
	switch m := find(poll, group, name); {
	case m == nil:
		return "absent"
	case m.Up:
		return "up"
	default:
		return "down"
	}
}

// eventually polls until the member has the verdict.
func eventually(t *testing.T, d drivers.Driver, within time.Duration, group, name, want string) {
	t.Helper()
	require.Eventually(t, func() bool {
		poll, err := read(t, d)
		return err == nil && verdict(poll, group, name) == want
	}, within, 20*time.Millisecond, "%s/%s is not %s within %v", group, name, want, within)
}
