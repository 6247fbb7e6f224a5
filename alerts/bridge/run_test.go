package bridge

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// am is the URL of a receiver.
const am = "http://am:9093"

// in runs a test in fake time, with a bridge that posts to a receiver.
func in(t *testing.T, test func(t *testing.T, r *rig, f *receiver)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := &receiver{}
		r := newRig(t, t.TempDir())
		r.transport = f
		test(t, r, f)
	})
}

// Nobody is told of a death once it is over, not even those who could not be told at the time.
func TestRecoveryWhileAlertmanagerIsAway(t *testing.T) {
	in(t, func(t *testing.T, r *rig, f *receiver) {
		r.watched.see(snapshot("s", "a:up b:up c:up d:up e:up"))
		r.configure(nil, am)
		defer r.run()()
		synctest.Wait()
		f.setDown(true)
		r.watched.see(snapshot("s", "a:down b:down c:up d:up e:up"))
		time.Sleep(10 * time.Minute)
		r.watched.see(snapshot("s", "a:up b:down c:up d:up e:up"))
		time.Sleep(time.Minute)
		f.setDown(false)
		time.Sleep(time.Minute)
		require.NotContains(t, about(f.taken()), "MemberDown s/g/a")
		require.InDelta(t, 1, r.value("firing", am), 0)
	})
}
