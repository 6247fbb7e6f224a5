package bridge

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/alerts/alertmanager"
	"servicegroup_exporter/config"
)

func anyID(alerts.ID) bool { return true }

// ids returns what fires, in short.
func (f Firing) ids() (short []string) {
	for _, a := range f.Alerts {
		short = append(short, strings.TrimSpace(strings.TrimPrefix(a.ID.Alert, "ServiceGroup")+" "+a.ID.Member))
	}
	return short
}

func TestFiring(t *testing.T) {
	inFakeTime(t, func(t *testing.T, r *testBridge, f *receiver) {
		require.Equal(t, Firing{}, r.Firing(anyID, 0, 10), "before the bridge runs")
		r.fake.set(snapshot("s", "a:up b:up c:up d:up"))
		r.configure(func(c *config.Alerting) { c.GrafanaURL = "https://grafana/" }, am, "http://other:9093")
		defer r.run()()
		time.Sleep(time.Minute)
		require.Equal(t, "https://grafana", r.Firing(anyID, 0, 10).GrafanaURL)
		require.Zero(t, r.Firing(anyID, 0, 10).Total)

		f.set(func() { f.frozen = "other:9093" })
		time.Sleep(time.Minute) // The status of the other one is requested.
		r.fake.set(snapshot("s", "a:down b:up c:up d:up"))
		time.Sleep(time.Minute)
		r.fake.set(snapshot("s", "a:down b:down c:down d:down"))
		time.Sleep(time.Second)
		firing := r.Firing(anyID, 0, 10)
		require.True(t, firing.Sends)
		require.Equal(t, []string{"Degraded", "Outage", "MemberDown b", "MemberDown c", "MemberDown d", "MemberDown a"}, firing.ids())
		require.Equal(t, 6, firing.Total)
		last := firing.Alerts[5]
		require.WithinDuration(t, time.Now().Add(-61*time.Second), last.Alert.Start, time.Second)
		require.True(t, last.RetainedSince.IsZero())
		require.Equal(t, []alertmanager.Delivery{alertmanager.Delivered, alertmanager.Failed}, deliveries(last))
		require.Equal(t, []string{am, "http://other:9093"}, []string{firing.Alertmanagers[0].Name, firing.Alertmanagers[1].Name})
		require.Empty(t, firing.Alertmanagers[0].Failure)
		require.Equal(t, "no answer in time: waited 10s", firing.Alertmanagers[1].Failure)

		require.Equal(t, []string{"Outage", "MemberDown b"}, r.Firing(anyID, 1, 2).ids())
		require.Empty(t, r.Firing(anyID, 99, 2).ids())
		onlyB := r.Firing(func(id alerts.ID) bool { return id.Member == "b" }, 0, 10)
		require.Equal(t, []string{"MemberDown b"}, onlyB.ids())
		require.Equal(t, 1, onlyB.Total)

		r.fake.set(lost(snapshot("s", "a:down b:down c:down d:down")))
		time.Sleep(5 * time.Second) // There is no event, so that the next step finds it.
		require.Equal(t, 6, r.Firing(anyID, 0, 10).Total)
		for _, a := range r.Firing(anyID, 0, 10).Alerts {
			require.False(t, a.RetainedSince.IsZero(), a.ID)
		}

		r.configure(nil)
		synctest.Wait()
		require.Equal(t, Firing{}, r.Firing(anyID, 0, 10), "without an Alertmanager")
	})
}

func deliveries(a FiringAlert) (states []alertmanager.Delivery) {
	for _, p := range a.Places {
		states = append(states, p.Delivery)
	}
	return states
}
