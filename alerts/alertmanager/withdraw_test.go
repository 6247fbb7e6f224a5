package alertmanager

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A member died and recovered while Alertmanager was away: when it is back, the alert is not posted.
func TestWithdraw(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{down: true}
		r := newTestClient(t, f, nil)
		defer r.run()()
		alerts := many(3)
		r.Send(alerts...)
		time.Sleep(time.Minute)
		r.Withdraw(alerts[0], alerts[1], alertOf("unknown"))
		require.InDelta(t, 1, r.value("notifications_queue_length"), 0)
		again := *alerts[1]
		r.Send(&again)
		f.set(func() { f.down = false })
		time.Sleep(maxRetry)
		require.Equal(t, []string{"m00002", "m00001"}, members(f.accepted()))
		require.InDelta(t, 0, r.value("notifications_dropped_total"), 0)
	})
}

// An alert that is withdrawn while it is being posted is not queued again when the post fails.
func TestWithdrawDuringAPost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		r := newTestClient(t, f, nil)
		defer r.run()()
		synctest.Wait()
		f.set(func() { f.delay = time.Hour })
		alerts := many(3)
		r.Send(alerts...)
		time.Sleep(time.Second)
		r.Withdraw(alerts[0], alerts[2])
		again := *alerts[2]
		r.Send(&again)
		time.Sleep(9 * time.Second)
		synctest.Wait()
		require.InDelta(t, 2, r.value("notifications_queue_length"), 0)
		f.set(func() { f.delay = 0 })
		time.Sleep(maxRetry)
		require.ElementsMatch(t, []string{"m00001", "m00002"}, members(f.accepted()))
	})
}
