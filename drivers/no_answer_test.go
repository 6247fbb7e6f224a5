package drivers

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// The error of a request says how long it waited: for the limit, or for what its caller had left.
func TestNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		second, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		over, cancel := context.WithTimeout(t.Context(), 0)
		defer cancel()
		canceled, cancel := context.WithCancel(t.Context())
		cancel()
		time.Sleep(250 * time.Millisecond)
		limit := func(ctx context.Context, d time.Duration) context.Context {
			ctx, cancel := WithLimit(ctx, d)
			t.Cleanup(cancel)
			return ctx
		}
		for _, test := range []struct {
			ctx  context.Context
			says string
		}{
			{limit(t.Context(), 20*time.Millisecond), "no answer in time: waited 20ms"},
			{limit(second, 20*time.Millisecond), "no answer in time: waited 20ms"},
			{limit(second, time.Minute), "no answer in time: waited 750ms"},
			{Limited(second), "no answer in time: waited 750ms"},
			{Limited(over), "no time was left to wait for an answer"},
			{limit(over, time.Minute), "no time was left to wait for an answer"},
			{second, "no answer in time"},
			{Limited(t.Context()), "no answer in time"},
			{limit(canceled, time.Minute), "given up before there was an answer"},
			{Limited(canceled), "given up before there was an answer"},
		} {
			cause := errors.New("a timeout")
			err := NoAnswer(test.ctx, cause)
			require.EqualError(t, err, test.says)
			require.ErrorIs(t, err, cause)
			require.True(t, HasNoAnswer(errors.Join(err)))
		}
		require.False(t, HasNoAnswer(context.DeadlineExceeded))
	})
}

// A context ends a moment after its deadline.
func TestEnded(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	require.True(t, Ended(over))
	require.True(t, Ended(late{t.Context(), time.Now().Add(-time.Nanosecond)}))
	require.False(t, Ended(late{t.Context(), time.Now().Add(time.Hour)}))
	require.False(t, Ended(t.Context()))
}

// late is a context with a deadline, at which it does not end.
type late struct {
	context.Context
	deadline time.Time
}

func (l late) Deadline() (time.Time, bool) { return l.deadline, true }
