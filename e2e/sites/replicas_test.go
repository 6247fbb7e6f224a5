package sites

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// Two replicas behind one address take turns, so that counters seem to fall and rise. No member is flapping therefore, because
// each exporter decides that by what it saw itself.
func testReplicasBehindOneAddress(t *testing.T) {
	t.Parallel()
	c := newCloud(t, "nova", "alerting: {keep_firing_for: 1s}\n")
	first := newPrometheus(t, scrapeJob(c.rules(), target(c, "a")))
	first.ready(1)
	c.die("c1") // Only the first exporter sees this.
	first.waitForAlerts("a MemberDown compute c1")
	_, second := c.start()
	var n atomic.Int64
	balancer := httptest.NewServer(proxy(func() string { return []string{c.web, second}[n.Add(1)%2] }))
	t.Cleanup(balancer.Close)
	p := newPrometheus(t, scrapeJob(c.rules(), fmt.Sprintf("{targets: [%q], labels: {cluster: a}}", balancer.Listener.Addr())))
	p.ready(1)
	c.revive("c1") // The second one has not known it up.
	p.waitFor(`resets(servicegroup_member_transitions_total{member="c1"}[5m]) > bool 4`, 1)
	p.stays()
	c.die("c1")
	p.stays("a MemberDown compute c1")
}

// One of two Prometheis can't reach the exporter. As long as the member is dead, its alert does not change. After a recovery,
// which this Prometheus does not see, its alert lasts until it reaches the exporter again.
func testPrometheusPair(t *testing.T) {
	t.Parallel()
	am, hook := newPager(t)
	c := newCloud(t, "nova", "alerting: {keep_firing_for: 1s}\n")
	var reachable atomic.Bool
	reachable.Store(true)
	way := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !reachable.Load() {
			http.Error(w, "", http.StatusBadGateway)
			return
		}
		proxy(func() string { return c.web }).ServeHTTP(w, r)
	}))
	t.Cleanup(way.Close)
	const targets = "{targets: [%q], labels: {cluster: a, instance: exporter}}"
	rules := c.rules()
	blind := newPrometheus(t, scrapeJob(rules, fmt.Sprintf(targets, way.Listener.Addr()))+sendTo(am))
	other := newPrometheus(t, scrapeJob(rules, fmt.Sprintf(targets, c.web))+sendTo(am))
	blind.ready(1)
	other.ready(1)
	c.die("c1")
	for _, p := range []*prometheus{blind, other} {
		p.waitForAlerts("a MemberDown compute c1")
	}
	hook.Wait("notification", func([]testserver.Notification) bool { return len(notified(hook, "ServiceGroupMemberDown")) > 0 })
	reachable.Store(false)
	blind.waitForAlerts("a DataMissing compute", "a DataMissing scheduler", "a ExporterAllDown", "a MemberDown compute c1")
	for range 5 {
		blind.evaluate()
		other.evaluate()
	}
	require.Equal(t, []string{"firing a MemberDown compute c1"}, notified(hook, "ServiceGroupMemberDown"))
	c.revive("c1")
	other.waitForAlerts()
	require.Contains(t, blind.alerts(), "a MemberDown compute c1")
	reachable.Store(true)
	blind.waitForAlerts()
	hook.Wait("recovery", func([]testserver.Notification) bool {
		return slices.Contains(notified(hook, "ServiceGroupMemberDown"), "resolved a MemberDown compute c1")
	})
	testserver.Eventually(t, func() bool { return len(am.Alerts()) == 1 }, patience, pause, "only the watchdog fires")
	settled := len(notified(hook, "ServiceGroupMemberDown"))
	for range 5 {
		blind.evaluate()
		other.evaluate()
	}
	require.Len(t, notified(hook, "ServiceGroupMemberDown"), settled)
}

// proxy passes each request on to an address.
func proxy(address func() string) *httputil.ReverseProxy {
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", address() }}
}
