package check_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// amConfig is a configuration of Alertmanager whose longest group_wait is 45 seconds.
const amConfig = "route: {receiver: none, group_wait: 5s, routes: [{receiver: none, group_wait: 45s}]}\nreceivers: [{name: none}]\n"

// amSource returns a configuration with an Alertmanager.
func amSource(url, more string) string {
	return "sources:\n- name: local\n  driver: db\n  db: {dsn: sqlite:////nonexistent/members.db}\n" +
		"alerting:\n  alertmanagers: [{url: '" + url + "'" + more + "}]\n  external_labels: {cluster: lab}\n"
}

func TestAlertmanager(t *testing.T) {
	t.Parallel()
	server := testserver.Alertmanager(t, amConfig)
	check := func(t *testing.T, url, more, subject string) string {
		t.Helper()
		return of(run(t, amSource(url, more), patient), "alertmanager", subject)
	}
	t.Run("healthy", func(t *testing.T) {
		lines := run(t, amSource(server.URL(), ""), patient)
		require.Contains(t, of(lines, "alertmanager", "server"), "ok: Alertmanager 0.")
		require.Contains(t, of(lines, "alertmanager", "server"), "its longest group_wait is 45s")
		require.Contains(t, of(lines, "alertmanager", "cluster"), "ok: it is a single instance")
		require.Contains(t, of(lines, "alertmanager", "clock"), "ok: ")
		require.Contains(t, of(lines, "alertmanager", "labels"), "ok: it has no alerts about these sources now")
		require.Contains(t, of(lines, "source local", "latency"), "(+ 45s group_wait of Alertmanager)")
		require.Empty(t, server.Alerts(), "check posts nothing")
	})
	t.Run("labels", func(t *testing.T) {
		labels := map[string]string{
			"alertname": "ServiceGroupMemberDown", "source": "local", "group": "g", "member": "m", "severity": "critical", "scope": "member", "host": "m",
		}
		server.Post(testserver.Alert{Labels: labels})
		testserver.Eventually(t, func() bool { return len(server.Alerts()) == 1 }, patient, 20*time.Millisecond, "Alertmanager has the alert")
		require.Contains(t, check(t, server.URL(), "", "labels"), "warning: it has alerts about these sources whose labels are not the labels of this configuration: cluster differ.")
	})
	login := answering(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) })
	for name, test := range map[string]struct{ url, more, says string }{
		"wrong port":     {"http://" + closedPort(t), "", "failure: can't be used: dial tcp"},
		"behind a login": {login, "", "failure: can't be used: "},
		"other pages":    {answering(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }), "", "a page and not from Alertmanager"},
		"password":       {answering(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }), "", "the answer is 401"},
		"wrong prefix":   {server.URL() + "/am", "", "the URL must be that of Alertmanager's own pages"},
		"not HTTPS":      {strings.Replace(server.URL(), "http:", "https:", 1), "", "failure: can't be used: "},
	} {
		t.Run(name, func(t *testing.T) { require.Contains(t, check(t, test.url, test.more, "server"), test.says) })
	}
	t.Run("dates", func(t *testing.T) {
		// The client posts alerts without times from a difference of 2 s on, and whole seconds and the request's time count for nothing.
		for _, test := range []struct {
			ahead time.Duration
			says  string
		}{
			{time.Hour, "^warning: the Date of its answers and this machine's clock differ by (1h|59m59).* Alerts are posted without times until"},
			{-time.Hour, "^warning: the Date of its answers and this machine's clock differ by (1h|59m59)"},
			{5 * time.Second, "^warning: "},
			{-5 * time.Second, "^warning: "},
			{0, "^ok: the Date of its answers and this machine's clock differ by less than 100ms"},
		} {
			url := answering(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Date", time.Now().Add(test.ahead).UTC().Format(http.TimeFormat))
				answerAsAlertmanager(w, r)
			})
			require.Regexp(t, test.says, check(t, url, "", "clock"), test.ahead)
			require.Contains(t, check(t, url, "", "cluster"), "warning: its cluster is settling, with 2 peers")
		}
		url := answering(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Date"] = nil
			answerAsAlertmanager(w, r)
		})
		require.Contains(t, check(t, url, "", "clock"), "ok: its answers have no Date")
	})
	t.Run("frozen", func(t *testing.T) {
		server.Freeze()
		defer server.Thaw()
		require.Contains(t, of(run(t, amSource(server.URL(), ""), impatient), "alertmanager", "server"), "failure: can't be used: no answer in time: waited ")
	})
}

// answerAsAlertmanager answers as one of a cluster that is settling.
func answerAsAlertmanager(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if strings.HasSuffix(r.URL.Path, "/status") {
		_, _ = w.Write([]byte(`{"versionInfo":{"version":"1"},"cluster":{"status":"settling","peers":[{},{}]}}`))
	} else {
		_, _ = w.Write([]byte(`[]`))
	}
}

// answering starts a web server that is no Alertmanager.
func answering(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s.URL
}
