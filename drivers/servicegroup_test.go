package drivers

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fixed is a driver that always returns the same poll.
type fixed struct{ poll Poll }

func (f *fixed) Members(context.Context) (*Poll, error) { return &f.poll, nil }
func (f *fixed) Close() error                           { return nil }

func TestVerdicts(t *testing.T) {
	d := &fixed{Poll{
		Members: []Member{{Group: "a", Name: "up", Up: true}, {Group: "a", Name: "down"}, {Group: "b", Name: "other", Up: true}},
		Unknown: []Member{{Group: "a", Name: "unknown"}},
	}}
	names, err := GetAll(t.Context(), d, "a")
	require.NoError(t, err)
	require.Equal(t, []string{"up"}, names)
	name, err := GetOne(t.Context(), d, "a")
	require.NoError(t, err)
	require.Equal(t, "up", name)
	_, err = GetOne(t.Context(), d, "c")
	require.ErrorIs(t, err, ErrNoMember)

	for name, want := range map[string]bool{"up": true, "down": false} {
		up, err := IsUp(t.Context(), d, "a", name)
		require.NoError(t, err)
		require.Equal(t, want, up)
	}
	_, err = IsUp(t.Context(), d, "a", "unknown")
	require.ErrorIs(t, err, ErrUnavailable, "unknown is not down")
	_, err = IsUp(t.Context(), d, "a", "other")
	require.ErrorIs(t, err, ErrNoMember)
}

func TestDownTime(t *testing.T) {
	for _, test := range []struct{ down, interval, want time.Duration }{
		{60 * time.Second, 10 * time.Second, 60 * time.Second},
		{10 * time.Second, 10 * time.Second, 25 * time.Second},
		{5 * time.Second, 7 * time.Second, 17 * time.Second},
		{time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond},
	} {
		require.Equal(t, test.want, DownTime(test.down, test.interval))
	}
}
