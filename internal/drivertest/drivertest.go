// Package drivertest is the conformance suite of the ServiceGroup API: what every driver has to do, against the real
// server of its backend.
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
	// Open makes a new driver for the backend, as another process would. The suite closes it.
	Open func(t *testing.T) drivers.Driver

	// DownTime is how long an abandoned member may stay up by the driver's rule; Slack is added for the granularity of
	// the backend: whole seconds in a table, ticks of a server.
	DownTime, Slack time.Duration

	// HoldsNames says that a name can be held by one live process only.
	HoldsNames bool

	// Refuses says which names the backend can't keep, nil where it can keep any.
	Refuses func(name string) bool

	// Server is what the suite stops and freezes, nil where the backend is no server.
	Server Server
}

// A Server can be taken away and given back.
type Server interface {
	Stop()
	Start()
	Freeze()
	Thaw()
}

// prompt bounds what has to happen without waiting for the backend's time limits. It allows for a busy machine.
const prompt = 10 * time.Second

// Run runs the suite. Every test uses groups of its own.
func Run(t *testing.T, b Backend) {
	t.Run("nobody", b.testNobody)
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
	if b.HoldsNames {
		t.Run("held", b.testHeld)
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

// join makes a member through a driver of its own, as a process of its own would.
func (b Backend) join(t *testing.T, group, name string) drivers.Membership {
	t.Helper()
	joiner, ok := b.open(t).(drivers.Joiner)
	require.True(t, ok, "the driver is no Joiner")
	ctx, cancel := context.WithTimeout(t.Context(), prompt)
	defer cancel()
	membership, err := joiner.Join(ctx, drivers.JoinRequest{Group: group, Name: name})
	require.NoError(t, err)
	t.Cleanup(membership.Abandon)
	return membership
}

// members reads the backend; a failure fails the test.
func members(t *testing.T, d drivers.Driver) *drivers.Poll {
	t.Helper()
	poll, err := read(t, d)
	require.NoError(t, err)
	return poll
}

// read reads the backend with a bound on the time it may take.
func read(t *testing.T, d drivers.Driver) (*drivers.Poll, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), prompt)
	defer cancel()
	return d.Members(ctx)
}

// find returns the member, or nil when the poll has none of that name.
func find(poll *drivers.Poll, group, name string) *drivers.Member {
	for i := range poll.Members {
		if m := &poll.Members[i]; m.Group == group && m.Name == name {
			return m
		}
	}
	return nil
}

// verdict is one word for what the poll says of a member.
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
