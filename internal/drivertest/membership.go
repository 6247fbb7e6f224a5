package drivertest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

func (b Backend) testNobody(t *testing.T) {
	d := b.open(t)
	names, err := drivers.GetAll(t.Context(), d, "nobody")
	require.NoError(t, err)
	require.Empty(t, names)
	_, err = drivers.GetOne(t.Context(), d, "nobody")
	require.ErrorIs(t, err, drivers.ErrNoMember)
	_, err = drivers.IsUp(t.Context(), d, "nobody", "nowhere")
	require.ErrorIs(t, err, drivers.ErrNoMember)
	require.ErrorIs(t, d.(drivers.Joiner).Leave(t.Context(), "nobody", "nowhere"), drivers.ErrNoMember)
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
	require.True(t, m.Rostered, "what Join wrote is remembered by the backend")
	require.NotEqual(t, drivers.FlagYes, m.ForcedDown)
	require.Positive(t, poll.DownTime)
	require.NotEmpty(t, poll.Backend)
	require.Empty(t, poll.Rejected)
	if !poll.Now.IsZero() {
		require.WithinDuration(t, time.Now(), poll.Now, time.Minute, "the backend runs on this machine")
	}
}

// A member that is there stays up for as long as it is, not only until its first proof of life has aged.
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
	for range 2 { // A name that has left is free again.
		membership := b.join(t, "leave", "one")
		require.Equal(t, "up", verdict(members(t, d), "leave", "one"))
		require.NoError(t, membership.Leave(t.Context()))
		require.Equal(t, "absent", verdict(members(t, d), "leave", "one"))
		require.NoError(t, membership.Leave(t.Context()), "leaving twice does nothing")
		require.NoError(t, membership.Die(t.Context(), time.Now()), "nor does dying after that")
	}
	require.Equal(t, "absent", verdict(members(t, d), "leave", "one"))
}

// Somebody else removes a member that lives: it does not come back, and its process is told.
func (b Backend) testRemoved(t *testing.T) {
	d := b.open(t)
	membership := b.join(t, "removed", "one")
	require.NoError(t, d.(drivers.Joiner).Leave(t.Context(), "removed", "one"))
	require.Equal(t, "absent", verdict(members(t, d), "removed", "one"))
	select {
	case <-membership.Done():
		require.ErrorIs(t, membership.Err(), drivers.ErrRemoved)
	case <-time.After(b.DownTime + b.Slack + prompt):
		t.Fatal("the membership was not told that it was removed")
	}
	require.Equal(t, "absent", verdict(members(t, d), "removed", "one"))
}

func (b Backend) testDie(t *testing.T) {
	d := b.open(t)
	membership := b.join(t, "die", "one")
	require.NoError(t, membership.Die(t.Context(), time.Now().Add(-time.Second)))
	m := find(members(t, d), "die", "one")
	require.NotNil(t, m, "the dead stay in the roster")
	require.False(t, m.Up, "the dead are dead at once")
	require.NotEqual(t, drivers.FlagYes, m.ForcedDown, "death is no operator's decision")

	b.join(t, "die", "one")
	eventually(t, d, prompt, "die", "one", "up")
	require.NoError(t, d.(drivers.Joiner).Leave(t.Context(), "die", "one"))
}

// The backend notices by itself that a member fell silent, in the time that it promises, and remembers it.
func (b Backend) testAbandon(t *testing.T) {
	d := b.open(t)
	membership := b.join(t, "abandon", "one")
	membership.Abandon()
	abandoned := time.Now()
	eventually(t, d, b.DownTime+b.Slack+prompt, "abandon", "one", "down")
	require.Less(t, time.Since(abandoned), b.DownTime+b.Slack+time.Second)

	// The name can be taken back, and the dead removed.
	b.join(t, "abandon", "one")
	eventually(t, d, prompt, "abandon", "one", "up")
	require.NoError(t, d.(drivers.Joiner).Leave(t.Context(), "abandon", "one"))
	require.Equal(t, "absent", verdict(members(t, d), "abandon", "one"))
}

// Names are kept as they are, or refused before anything is written.
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
		require.NotErrorIs(t, err, drivers.ErrUnavailable, "a bad name is the caller's fault")
	}
	for _, m := range members(t, d).Members {
		require.NotEqual(t, "names", m.Group, "left behind: %+v", m)
	}
}

func (b Backend) testHeld(t *testing.T) {
	first := b.join(t, "held", "one")
	ctx, cancel := context.WithTimeout(t.Context(), prompt)
	defer cancel()
	d := b.open(t)
	_, err := d.(drivers.Joiner).Join(ctx, drivers.JoinRequest{Group: "held", Name: "one"})
	require.ErrorIs(t, err, drivers.ErrNameTaken)
	require.NoError(t, first.Err(), "who holds the name keeps it")
	require.Equal(t, "up", verdict(members(t, d), "held", "one"))
	require.NoError(t, first.Leave(t.Context()))
}
