package bridge

import (
	"context"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// An address that a name gets later has all alerts soon, also while the interval of posts is long, and its series end when it goes.
func TestAddressesOfAName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		addresses := []netip.Addr{netip.MustParseAddr("127.0.0.1")}
		set := func(texts ...string) {
			mu.Lock()
			defer mu.Unlock()
			addresses = nil
			for _, text := range texts {
				addresses = append(addresses, netip.MustParseAddr(text))
			}
		}
		r, f := newTestBridge(t, ""), &receiver{}
		r.transport = f
		r.lookup = func(context.Context, string) ([]netip.Addr, error) {
			mu.Lock()
			defer mu.Unlock()
			return addresses, nil
		}
		r.fake.set(snapshot("nova", "c1:down c2:up c3:up c4:up"))
		r.configure(nil, "http://am:9093", "http://127.0.0.9:9093")
		stop := r.run()
		time.Sleep(5 * time.Minute)
		require.InDelta(t, 1, r.value("notifications_alertmanager_up", "http://am:9093 (127.0.0.1)"), 0)
		require.InDelta(t, 1, r.value("notifications_alertmanager_up", `"http://127.0.0.9:9093"`), 0)
		set("127.0.0.1", "::1")
		for range 40 {
			time.Sleep(time.Second)
			if r.value("notifications_alertmanager_up", "http://am:9093 (::1)") == 1 {
				break
			}
		}
		time.Sleep(5 * time.Second)
		require.Positive(t, r.value("notifications_sent_total", "http://am:9093 (::1)"))
		require.InDelta(t, 1, r.value("alerts_firing", "http://am:9093 (::1)"), 0)
		set("::1")
		time.Sleep(31 * time.Second)
		require.Zero(t, r.value("notifications_sent_total", "http://am:9093 (127.0.0.1)"))
		require.Positive(t, r.value("notifications_sent_total", "http://am:9093 (::1)"))
		r.configure(nil)
		stop()
		require.Zero(t, r.value("notifications_alertmanager_up", ""))
	})
}
