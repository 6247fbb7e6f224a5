package collector

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTheContextOfAPoll(t *testing.T) {
	type key struct{}
	synctest.Test(t, func(t *testing.T) {
		parent, forget := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
		c := newPollContext(parent, time.Now().Add(sec))
		forget()
		child, done := context.WithTimeout(c, hour)
		defer done()
		require.Equal(t, "value", child.Value(key{}))
		c.extend(time.Now().Add(3 * sec))
		c.extend(time.Now().Add(2 * sec))
		deadline, ok := child.Deadline()
		require.True(t, ok)
		require.Equal(t, 3*sec, time.Until(deadline), "the longest")
		time.Sleep(3*sec - ms)
		synctest.Wait()
		require.NoError(t, child.Err())
		time.Sleep(ms)
		synctest.Wait()
		require.ErrorIs(t, child.Err(), context.DeadlineExceeded)
		c.extend(time.Now().Add(sec))
		c.cancel()
		require.ErrorIs(t, c.Err(), context.DeadlineExceeded, "it ends once")

		c = newPollContext(t.Context(), time.Now().Add(sec))
		c.cancel()
		require.ErrorIs(t, c.Err(), context.Canceled)
	})
}
