package alertmanager

import (
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	promconfig "github.com/prometheus/common/config"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// patience is the time limit for a condition on a busy machine.
const patience = time.Minute

// notifyAtOnce is a configuration of Alertmanager that notifies a webhook of everything at once.
const notifyAtOnce = `route: {receiver: hook, group_by: [alertname, group], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}
receivers: [{name: hook, webhook_configs: [{url: "%s/hook"}]}]
`

// alertmanager starts an Alertmanager that sends no notifications.
func alertmanager(t *testing.T) *testserver.AM {
	t.Helper()
	return testserver.Alertmanager(t, "route: {receiver: none}\nreceivers: [{name: none}]\n")
}

// startClient runs a client of the Alertmanager at a URL.
func startClient(t *testing.T, url string, change func(*config.Alertmanager)) *testClient {
	t.Helper()
	r := newTestClient(t, nil, func(o *Options) {
		o.Config.URL = configOf(t, url).URL
		if change != nil {
			change(&o.Config)
		}
	})
	r.run()
	return r
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	testserver.Eventually(t, condition, patience, 5*time.Millisecond, "%s", what)
}

// logs waits until the log contains a text: a failure is counted before it is logged.
func (r *testClient) logs(text string) {
	r.t.Helper()
	eventually(r.t, "the log line "+text, func() bool { return strings.Contains(r.log.String(), text) })
}

// Alertmanager merges an alert of this program with that of Prometheus, and notifies once.
func TestAlertsMerge(t *testing.T) {
	t.Parallel()
	hook := testserver.Webhook(t)
	server := testserver.Alertmanager(t, fmt.Sprintf(notifyAtOnce, hook.URL()))
	r := startClient(t, server.URL()+"/", nil)
	a := alertOf("m1")
	sent := time.Now()
	a.GeneratorURL, a.Start, a.Detected = "http://here/member?member=m1", sent.Add(-10*time.Second), sent
	r.Send(a)
	notified := hook.Wait("notification", func(all []testserver.Notification) bool { return len(all) > 0 })
	require.Equal(t, "firing", notified[0].Status)
	got := notified[0].Alerts[0]
	require.Equal(t, a.Labels, got.Labels)
	require.Equal(t, a.Annotations, got.Annotations)
	require.Equal(t, a.GeneratorURL, got.GeneratorURL)
	require.WithinDuration(t, a.Start, got.StartsAt, time.Second)
	active := server.Alerts()
	require.Len(t, active, 1)
	// Alertmanager's clock is known to the second.
	require.WithinRange(t, active[0].EndsAt, sent.Add(28*time.Second), time.Now().Add(32*time.Second))
	// Alertmanager may notify before the client has read its answer.
	eventually(t, "the latency", func() bool { return r.value("notifications_latency_seconds_count") == 1 })

	rule := testserver.Alert{
		Labels: a.Labels, Annotations: a.Annotations, GeneratorURL: "http://prometheus/graph",
		StartsAt: time.Now(), EndsAt: time.Now().Add(4 * time.Minute),
	}
	server.Post(rule)
	r.Send(a)
	eventually(t, "the re-post", func() bool { return r.value("notifications_sent_total") == 2 })
	active = server.Alerts()
	require.Len(t, active, 1)
	require.WithinDuration(t, a.Start, active[0].StartsAt, time.Second, "the earlier start is kept")
	require.WithinDuration(t, rule.EndsAt, active[0].EndsAt, time.Second, "the later end is kept")

	r.Send(resolved(a, time.Now()))
	notified = hook.Wait("end", func(all []testserver.Notification) bool { return all[len(all)-1].Status == "resolved" })
	require.Len(t, notified, 2, "one firing and one resolved notification")
	require.Empty(t, server.Alerts())
}

// Date headers of proxies do not move times: alerts fire and end, and nothing is notified twice.
func TestProxiesWithOtherClocks(t *testing.T) {
	t.Parallel()
	hook := testserver.Webhook(t)
	server := testserver.Alertmanager(t, fmt.Sprintf(strings.Replace(notifyAtOnce, "[alertname, group]", "[member]", 1), hook.URL()))
	for name, change := range proxiesWithOtherClocks() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			front := httptest.NewServer(change(httputil.NewSingleHostReverseProxy(parse(t, server.URL()))))
			t.Cleanup(front.Close)
			r := startClient(t, front.URL, nil)
			eventually(t, "an answer", func() bool { return r.value("notifications_alertmanager_up") == 1 })
			about := func() (found []testserver.StoredAlert) {
				for _, a := range server.Alerts() {
					if a.Labels["member"] == name {
						found = append(found, a)
					}
				}
				return found
			}
			notified := func() (statuses []string) {
				hook.Wait("any", func(all []testserver.Notification) bool {
					for _, n := range all {
						if n.Alerts[0].Labels["member"] == name {
							statuses = append(statuses, n.Status)
						}
					}
					return true
				})
				return statuses
			}
			a := alertOf(name)
			a.Start = time.Now().Add(-20 * time.Second)
			for range 3 {
				before := r.value("notifications_sent_total")
				r.Send(a)
				eventually(t, "the post", func() bool { return r.value("notifications_sent_total") > before && r.queued() == 0 })
				eventually(t, "the alert", func() bool {
					found := about()
					return len(found) == 1 && found[0].StartsAt.Sub(a.Start).Abs() < time.Second
				})
				require.WithinRange(t, about()[0].EndsAt, time.Now(), time.Now().Add(31*time.Second))
			}
			eventually(t, "a notification", func() bool { return len(notified()) == 1 })
			require.InDelta(t, 0, r.value("notifications_alertmanager_clock_offset_seconds"), 0.5)
			require.InDelta(t, 0, r.value("notifications_over_on_arrival_total"), 0)
			r.Send(resolved(a, time.Now()))
			eventually(t, "the end", func() bool { return len(notified()) == 2 })
			require.Equal(t, []string{"firing", "resolved"}, notified())
			require.Empty(t, about())
			require.NotContains(t, r.log.String(), "does not list")
			require.InDelta(t, 1, r.value("notifications_alertmanager_up"), 0)
		})
	}
}

// proxiesWithOtherClocks returns what proxies do to the answers of a server.
func proxiesWithOtherClocks() map[string]func(http.Handler) http.Handler {
	date := func(text func() string) func(http.Handler) http.Handler {
		return func(server http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				answer := httptest.NewRecorder()
				server.ServeHTTP(answer, q)
				maps.Copy(w.Header(), answer.Header())
				if w.Header()["Date"] = nil; text() != "" {
					w.Header().Set("Date", text())
				}
				w.WriteHeader(answer.Code)
				_, _ = w.Write(answer.Body.Bytes())
			})
		}
	}
	off := func(by time.Duration) func(http.Handler) http.Handler {
		return date(func() string { return time.Now().Add(by).UTC().Format(http.TimeFormat) })
	}
	return map[string]func(http.Handler) http.Handler{
		"a minute late":  off(-time.Minute),
		"a minute ahead": off(time.Minute),
		"an hour late":   off(-time.Hour),
		"an hour ahead":  off(time.Hour),
		"none":           date(func() string { return "" }),
		"not a time":     date(func() string { return "Thu, 99 Foo 2026 25:61:61" }),
		"cached answers": cache,
	}
}

// cache answers each GET of the same address like the first one, for as long as it runs.
func cache(server http.Handler) http.Handler {
	var mu sync.Mutex
	kept := map[string]*httptest.ResponseRecorder{}
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		answer := kept[q.URL.String()]
		if answer == nil || q.Method != http.MethodGet {
			answer = httptest.NewRecorder()
			server.ServeHTTP(answer, q)
			kept[q.URL.String()] = answer
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}

// An Alertmanager that was restarted gets the alerts again. One that is frozen does not delay posts to the other.
func TestAlertmanagerFails(t *testing.T) {
	t.Parallel()
	first, second := alertmanager(t), alertmanager(t)
	impatient := func(c *config.Alertmanager) { c.Timeout = drivers.Duration(500 * time.Millisecond) }
	a, b := startClient(t, first.URL(), impatient), startClient(t, second.URL(), nil)
	eventually(t, "both", func() bool {
		return a.value("notifications_alertmanager_up") == 1 && b.value("notifications_alertmanager_up") == 1
	})

	first.Freeze()
	alerts := many(3)
	a.Send(alerts...)
	b.Send(alerts...)
	eventually(t, "the alerts in the other Alertmanager", func() bool { return len(second.Alerts()) == 3 })
	eventually(t, "a failure", func() bool { return a.value("notifications_errors_total", "reason", "timeout") > 0 })
	first.Thaw()
	eventually(t, "the alerts", func() bool { return a.value("notifications_sent_total") == 3 })
	require.Len(t, first.Alerts(), 3)

	first.Kill()
	a.Send(alerts[:2]...)
	eventually(t, "a failure", func() bool { return a.value("notifications_errors_total", "reason", "connect") > 0 })
	first.Start()
	eventually(t, "the alerts", func() bool { return a.value("notifications_sent_total") == 5 })
	require.Len(t, first.Alerts(), 2)
}

func TestManyAlerts(t *testing.T) {
	t.Parallel()
	server := alertmanager(t)
	var posts atomic.Int64
	proxy := httputil.NewSingleHostReverseProxy(parse(t, server.URL()))
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.Method == http.MethodPost {
			posts.Add(1)
		}
		proxy.ServeHTTP(w, q)
	}))
	t.Cleanup(front.Close)
	r := startClient(t, front.URL, nil)
	r.Send(many(10_000)...)
	eventually(t, "all alerts", func() bool { return r.value("notifications_sent_total") == 10_000 })
	require.EqualValues(t, 40, posts.Load())
	require.Len(t, server.Alerts(), 10_000)
	eventually(t, "the number of firing alerts", func() bool { return r.value("alerts_firing") == 10_000 })
}

// Alertmanager accepts the valid alerts of a batch, and the refused ones are found.
func TestAlertmanagerRefuses(t *testing.T) {
	t.Parallel()
	server := alertmanager(t)
	r := startClient(t, server.URL(), nil)
	alerts := many(10)
	for i := range alerts {
		if i%2 == 0 {
			alerts[i].Labels[""] = "1" // Since 0.27 any other name is allowed.
		}
	}
	invalid := alertOf("invalid")
	invalid.GeneratorURL = "not a URL"
	r.Send(append(alerts, invalid)...)
	eventually(t, "the end", func() bool {
		return r.value("notifications_dropped_total") == 6 && r.value("notifications_sent_total") == 5
	})
	require.Len(t, server.Alerts(), 5)
	eventually(t, "the outcome", func() bool { return r.value("notifications_alertmanager_up") == 1 })
}

// A web server in front of Alertmanager requires TLS, basic authentication and a path prefix.
func TestSecureAlertmanager(t *testing.T) {
	t.Parallel()
	server := alertmanager(t)
	proxy := httputil.NewSingleHostReverseProxy(parse(t, server.URL()))
	front := httptest.NewUnstartedServer(http.StripPrefix("/pre fix", http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if user, password, _ := q.BasicAuth(); user != "user" || password != "hunter2" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		proxy.ServeHTTP(w, q)
	})))
	front.Config.ErrorLog = log.New(io.Discard, "", 0) // It logs the failing clients below.
	front.StartTLS()
	t.Cleanup(front.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw}
	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(block), 0o600))
	password := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(password, []byte("wrong\n"), 0o600))

	secure := func(c *config.Alertmanager) {
		c.TLSConfig.CAFile = ca
		c.BasicAuth = &promconfig.BasicAuth{Username: "user", PasswordFile: password}
	}
	r := startClient(t, front.URL+"/pre%20fix/", secure)
	r.Send(alertOf("m1"))
	eventually(t, "a refusal", func() bool { return r.value("notifications_errors_total", "reason", "auth") > 0 })
	require.NoError(t, os.WriteFile(password, []byte("hunter2\n"), 0o600))
	eventually(t, "the alert", func() bool { return r.value("notifications_sent_total") == 1 })
	require.Len(t, server.Alerts(), 1)

	untrusting := startClient(t, front.URL, func(c *config.Alertmanager) {
		c.BasicAuth = &promconfig.BasicAuth{Username: "user", Password: "hunter2"}
	})
	untrusting.Send(alertOf("m2"))
	eventually(t, "a wrong certificate", func() bool { return untrusting.value("notifications_errors_total", "reason", "connect") > 0 })
	untrusting.logs("certificate signed by unknown authority")
	require.NotContains(t, untrusting.log.String(), "hunter2")

	clear := startClient(t, "http"+front.URL[len("https"):], nil)
	clear.Send(alertOf("m3"))
	eventually(t, "an answer that is not Alertmanager's", func() bool { return clear.value("notifications_errors_total", "reason", "rejected") > 0 })
	require.InDelta(t, 0, clear.value("notifications_dropped_total"), 0)
}

// A missing OAuth token is an authentication failure, not a connection failure.
func TestNoToken(t *testing.T) {
	t.Parallel()
	login := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "hunter2", http.StatusForbidden)
	}))
	t.Cleanup(login.Close)
	r := startClient(t, am, func(c *config.Alertmanager) {
		c.OAuth2 = &promconfig.OAuth2{ClientID: "us", ClientSecret: "hunter2", TokenURL: login.URL}
	})
	eventually(t, "a failure", func() bool { return r.log.String() != "" })
	require.Contains(t, r.log.String(), `reason=auth err="the OAuth 2.0 server returned no token"`)
	require.NotContains(t, r.log.String(), "hunter2")
}

func TestCheckLabelsInAlertmanager(t *testing.T) {
	t.Parallel()
	server := alertmanager(t)
	r := startClient(t, server.URL(), nil)
	a := alertOf(`nam\e "of" {a}, ` + "\n" + `=~"m1"é`)
	a.Labels["cluster"] = "prod"
	r.Send(a, alertOf("m2"))
	eventually(t, "alerts", func() bool { return r.value("notifications_sent_total") == 2 })
	require.NoError(t, r.CheckLabels(t.Context(), []*Alert{a}))
	require.Empty(t, r.log.String())

	labels := alertOf(a.Labels["member"]).Labels
	labels["replica"] = "b"
	second := testserver.Alert{Labels: labels, EndsAt: time.Now().Add(time.Hour)}
	server.Post(second)
	require.NoError(t, r.CheckLabels(t.Context(), []*Alert{a}))
	for _, label := range []string{"cluster", "replica"} {
		require.InDelta(t, 1, r.value("notifications_label_mismatches", "label", label), 0)
	}
	require.Contains(t, r.log.String(), `differ="[cluster replica]"`)

	second.EndsAt = time.Now()
	server.Post(second)
	require.NoError(t, r.CheckLabels(t.Context(), []*Alert{a}))
	require.InDelta(t, 0, r.value("notifications_label_mismatches", "label", "cluster"), 0)

	server.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.ErrorContains(t, r.CheckLabels(ctx, []*Alert{a}), "connection refused")
}

func parse(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	require.NoError(t, err)
	return u
}
