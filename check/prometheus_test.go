package check_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// The Prometheus that is asked which hosts answer has lines as an Alertmanager has. A mistake in the expression has file and line.
func TestPrometheus(t *testing.T) {
	t.Parallel()
	server := testserver.Prometheus(t, "scrape_configs: []\n")
	zk := testserver.ZooKeeper(t)
	source := strings.Replace(zkSource(zk.Addr(), ""), "session_timeout: 1s", "session_timeout: 5s", 1)
	join(t, source, "c1.example.org", "c2:80", "c3")
	asking := func(url, query string) string {
		return source + fmt.Sprintf("alerting:\n  external_labels: {cluster: lab}\n  prometheus: {url: '%s'}\n  host_query: '%s'\n", url, query)
	}
	const some = `label_replace(vector(1), "host", "c1", "", "") or label_replace(vector(0), "host", "c2", "", "")`
	text := func(url, query, subject string) string {
		return of(run(t, asking(url, query), patient), "prometheus "+url, subject)
	}
	for name, test := range map[string]struct{ query, says string }{
		"answers":       {some, "^ok: of 3 hosts with members 1 answer, 1 do not, and 1 are not in the result"},
		"not a query":   {"up{", `^failure: /.*/servicegroups.yml:8: alerting.host_query: it answers 400 Bad Request: .*parse error.* → correct the expression`},
		"not evaluable": {`vector(1) * on (x) (` + some + `)`, `^failure: /.*/servicegroups.yml:8: alerting.host_query: it answers 422 `},
		"no vector":     {"1", "^failure: /.*/servicegroups.yml:8: alerting.host_query: the result of host_query is a scalar"},
		"empty":         {"nothing", "^warning: its result is empty, so that of no host it is known whether it answers"},
		"no host":       {"vector(1)", "^warning: its result has 1 sample, none of which is about a host of this cluster"},
		"another":       {`label_replace(` + some + `, "cluster", "x", "", "")`, "^warning: its result has 2 samples, none of which is about a host of this cluster"},
		"other names":   {`label_replace(vector(1), "host", "c1.example.org", "", "")`, "^warning: its result has 1 host, but none that a member is on"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Regexp(t, test.says, text(server.URL(), test.query, "host_query"))
			require.Equal(t, "ok: it answers queries →", text(server.URL(), test.query, "server"))
		})
	}
	t.Run("lines", func(t *testing.T) {
		lines := run(t, asking(server.URL(), some), patient)
		require.Contains(t, of(lines, "prometheus", "tls"), "ok: ")
		requireRemedies(t, lines)
		require.Empty(t, of(run(t, source, patient), "prometheus", "server"), "none is configured")
		require.Contains(t, of(run(t, strings.ReplaceAll(asking(server.URL(), some), zk.Addr(), closedPort(t)), patient), "prometheus", "host_query"),
			"ok: its result has 2 hosts; no member's host is known")
	})
	for name, test := range map[string]struct{ url, says string }{
		"wrong port":  {"http://" + closedPort(t), "dial tcp"},
		"other pages": {answering(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }), "reading its answer: "},
		"password":    {answering(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }), "it answers 401 Unauthorized"},
		"overloaded": {answering(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(503)
			_, _ = w.Write([]byte(`{"errorType": "timeout", "error": "query timed out"}`))
		}), "it answers 503 Service Unavailable: query timed out"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, text(test.url, some, "server"), "failure: can't be asked which hosts answer: "+test.says)
		})
	}
	t.Run("frozen", func(t *testing.T) {
		server.Freeze()
		defer server.Thaw()
		began := time.Now()
		require.Contains(t, of(run(t, asking(server.URL(), some), impatient), "prometheus", "server"), "can't be asked which hosts answer: no answer in time: waited ")
		require.Less(t, time.Since(began), patient)
	})
	t.Run("half an answer", func(t *testing.T) {
		half := answering(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(`{"data": {`))
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		})
		require.Contains(t, of(run(t, asking(half, some), impatient), "prometheus", "server"), "can't be asked which hosts answer: no answer in time: waited ")
	})
}
