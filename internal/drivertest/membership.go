package drivertest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

func (b Backend) testEmpty(t *testing.T) {
	d := b.open(t)
	names, err := drivers.GetAll(t.Context(), d, "empty")
	require.NoError(t, err)
	require.Empty(t, names)
	_, err = drivers.GetOne(t.Context(), d, "empty")
	require.ErrorIs(t, err, drivers.ErrNoMember)
	_, err = drivers.IsUp(t.Context(), d, "empty", "one")
	require.ErrorIs(t, err, drivers.ErrNoMember)
	require.ErrorIs(t, d.(drivers.Joiner).Leave(t.Context(), "empty", "one"), drivers.ErrNoMember)
}

func (b Backend) testJoin(t *testing.T) {
	d := b.open(t)
	b.join(t, "join-a", "one")
	b.join(t, "join-a", "two")
	b.join(t, "join-b", "one")

	names, err := drivers.GetAll(t.Context(), d, "join-a")
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"one", "two"}, names)
	name, err := drivers.GetOne(t.Context(), d, "join-b")
	require.NoError(t, err)
	require.Equal(t, "one", name)
	up, err := drivers.IsUp(t.Context(), d, "join-a", "two")
	require.NoError(t, err)
	require.True(t, up)

	poll := members(t, d)
	m := find(poll, "join-a", "one")
	require.True(t, m.Rostered, "the backend still lists a joined member when it is down")
	require.NotEqual(t, drivers.FlagYes, m.ForcedDown)
	require.Positive(t, poll.DownTime)
	require.NotEmpty(t, poll.Backend)
	require.Empty(t, poll.Rejected)
	if !poll.Now.IsZero() {
		require.WithinDuration(t, time.Now(), poll.Now, time.Minute, "the backend runs on this machine")
	}
}

// A member stays up for longer than its first proof of life counts.
func (b Backend) testStays(t *testing.T) {
	d := b.open(t)
	membership := b.join(t, "stays", "one")
	for end := time.Now().Add(2*b.DownTime + b.Slack); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		require.Equal(t, "up", verdict(members(t, d), "stays", "one"))
	}
	require.NoError(t, membership.Err())
	require.NoError(t, membership.Leave(t.Context()))
}

func (b Backend) testLeave(t *testing.T) {
	d := b.open(t)
	for range 2 { // The name of a member that left can be used again.
		membership := b.join(t, "leave", "one")
		require.Equal(t, "up", verdict(members(t, d), "leave", "one"))
		require.NoError(t, membership.Leave(t.Context()))
		require.Equal(t, "absent", verdict(members(t, d), "leave", "one"))
		require.NoError(t, membership.Leave(t.Context()), "a second Leave does nothing")
		require.NoError(t, membership.Die(t.Context(), drivers.Death{At: time.Now()}), "Die after Leave does nothing")
	}
	require.Equal(t, "absent", verdict(members(t, d), "leave", "one"))
}

// If another process removes a live member, it does not come back, and its membership ends.
func (b Backend) testRemoved(t *testing.T) {
	d := b.open(t)
	membership := b.join(t, "removed", "one")
	require.NoError(t, d.(drivers.Joiner).Leave(t.Context(), "removed", "one"))
	require.Equal(t, "absent", verdict(members(t, d), "removed", "one"))
	select {
	case <-membership.Done():
		require.ErrorIs(t, membership.Err(), drivers.ErrRemoved)
	case <-time.After(b.DownTime + b.Slack + prompt):
		t.Fatal("the membership did not end")
	}
	require.Equal(t, "absent", verdict(members(t, d), "removed", "one"))

	again := b.join(t, "removed", "one")
	require.NoError(t, membership.Die(t.Context(), drivers.Death{At: time.Now()}), "Die does nothing")
	require.Equal(t, "up", verdict(members(t, d), "removed", "one"), "the name belongs to another process now")
	require.NoError(t, again.Leave(t.Context()))
}

func (b Backend) testDie(t *testing.T) {
	d := b.open(t)
	membership := b.join(t, "die", "one")
	require.NoError(t, membership.Die(t.Context(), drivers.Death{At: time.Now().Add(-time.Second)}))
	m := find(members(t, d), "die", "one")
	require.NotNil(t, m, "a member that died stays in the roster")
	require.False(t, m.Up, "a member that died is down at once")
	require.NotEqual(t, drivers.FlagYes, m.ForcedDown, "a death is not an operator's decision")

	b.join(t, "die", "one")
	eventually(t, d, prompt, "die", "one", "up")
	require.NoError(t, d.(drivers.Joiner).Leave(t.Context(), "die", "one"))
}

// A member whose proofs of life stop is down after the heartbeat timeout, and stays in the roster.
func (b Backend) testAbandon(t *testing.T) {
	d := b.open(t)
	membership := b.join(t, "abandon", "one")
	membership.Abandon()
	abandoned := time.Now()
	eventually(t, d, b.DownTime+b.Slack+prompt, "abandon", "one", "down")
	require.Less(t, time.Since(abandoned), b.DownTime+b.Slack+time.Second)

	// The name can be used again, and the member be removed.
	b.join(t, "abandon", "one")
	eventually(t, d, prompt, "abandon", "one", "up")
	require.NoError(t, d.(drivers.Joiner).Leave(t.Context(), "abandon", "one"))
	require.Equal(t, "absent", verdict(members(t, d), "abandon", "one"))
}

// Names are stored unchanged, or refused before anything is written.
func (b Backend) testNames(t *testing.T) {
	d := b.open(t)
	for _, name := range []string{
		"compute-01.example.com", "host@backend#pool", `quo"te'd`, "back\\slash", "per%cent_", "sp ace", "Füße",
	} {
		if b.Refuses != nil && b.Refuses(name) {
			_, err := d.(drivers.Joiner).Join(t.Context(), drivers.JoinRequest{Group: "names", Name: name})
			require.Error(t, err, name)
			require.NotErrorIs(t, err, drivers.ErrUnavailable, name)
			continue
		}
		membership := b.join(t, "names", name)
		require.Equal(t, "up", verdict(members(t, d), "names", name), name)
		require.NoError(t, membership.Leave(t.Context()))
	}
	for _, bad := range []drivers.JoinRequest{{Group: "names"}, {Name: "one"}} {
		_, err := d.(drivers.Joiner).Join(t.Context(), bad)
		require.Error(t, err)
		require.NotErrorIs(t, err, drivers.ErrUnavailable, "a bad name does not mean that the backend is unavailable")
	}
	for _, m := range members(t, d).Members {
		require.NotEqual(t, "names", m.Group, "left behind: %+v", m)
	}
}

func (b Backend) testTaken(t *testing.T) {
	first := b.join(t, "taken", "one")
	ctx, cancel := context.WithTimeout(t.Context(), prompt)
	defer cancel()
	d := b.open(t)
	_, err := d.(drivers.Joiner).Join(ctx, drivers.JoinRequest{Group: "taken", Name: "one"})
	require.ErrorIs(t, err, drivers.ErrNameTaken)
	require.NoError(t, first.Err(), "the first member keeps the name")
	require.Equal(t, "up", verdict(members(t, d), "taken", "one"))
	require.NoError(t, first.Leave(t.Context()))
}
