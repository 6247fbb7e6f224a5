package sites

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// Two replicas behind one address take turns, so that counters seem to fall and rise. No member is flapping therefore, because
// each exporter decides that by what it saw itself.
func TestReplicasBehindOneAddress(t *testing.T) {
	t.Parallel()
	c := newCloud(t, "nova", "")
	first := newPrometheus(t, scrapeJob(c.rules(), target(c, "a")))
	first.ready(1)
	c.die("c1") // Only the first exporter sees this.
	first.waitForAlerts("a MemberDown compute c1")
	_, second := c.start()
	var n atomic.Int64
	balancer := httptest.NewServer(&httputil.ReverseProxy{Director: func(r *http.Request) {
		r.URL.Scheme, r.URL.Host = "http", []string{c.web, second}[n.Add(1)%2]
	}})
	t.Cleanup(balancer.Close)
	p := newPrometheus(t, scrapeJob(c.rules(), fmt.Sprintf("{targets: [%q], labels: {cluster: a}}", balancer.Listener.Addr())))
	p.ready(1)
	c.revive("c1") // The second one has not known it up.
	p.waitFor(`resets(servicegroup_member_transitions_total{member="c1"}[5m]) > bool 4`, 1)
	p.stays()
	c.die("c1")
	p.stays("a MemberDown compute c1")
}

// One of two Prometheis can't reach the exporter while a member recovers. Alertmanager notifies of the recovery, and not over and over
// of a death that is over.
func TestPrometheusPair(t *testing.T) {
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
		(&httputil.ReverseProxy{Director: func(r *http.Request) { r.URL.Scheme, r.URL.Host = "http", c.web }}).ServeHTTP(w, r)
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
	blind.waitFor("up", 0)
	c.revive("c1")
	other.waitForAlerts()
	for range 30 {
		blind.evaluate()
		other.evaluate()
	}
	t.Logf("notifications while one Prometheus is blind: %q", notified(hook, "ServiceGroupMemberDown"))
	reachable.Store(true)
	blind.waitForAlerts()
	require.LessOrEqual(t, len(notified(hook, "ServiceGroupMemberDown")), 4)
}
