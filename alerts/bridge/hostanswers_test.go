package bridge

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/config"
	"servicegroup_exporter/internal/testserver"
)

// askedAt lets a bridge ask the Prometheus at a URL.
func askedAt(t *testing.T, url string) func(*config.Alerting) {
	t.Helper()
	return func(c *config.Alerting) {
		c.ExternalLabels = map[string]string{"cluster": "a"}
		c.Prometheus = new(configOf(t, url))
	}
}

// The alerts have what a real Prometheus says by the default query: of targets that it can scrape and can't scrape, of this cluster, and
// of none.
func TestHostAnswers(t *testing.T) {
	alertmanager := testserver.Alertmanager(t, "route: {receiver: none}\nreceivers: [{name: none}]\n")
	const dead = "127.0.0.1:1"
	server := testserver.Prometheus(t, fmt.Sprintf(`
global: {scrape_interval: 200ms}
scrape_configs:
  - job_name: node
    static_configs:
      - {targets: [%[1]q], labels: {instance: "m1.example.org:9100"}}
      - {targets: [%[2]q], labels: {instance: "m2:9100"}}
      - {targets: [%[2]q], labels: {instance: "m3:9100", cluster: a}}
      - {targets: [%[1]q], labels: {instance: "m3:9100", cluster: b}}
      - {targets: [%[1]q], labels: {instance: "m4:9100", cluster: b}}
`, alertmanager.Addr(), dead))
	testserver.Eventually(t, func() bool { return len(server.Query(`up{job="node"}`)) == 5 }, patience, 50*time.Millisecond, "all are scraped")

	r := newTestBridge(t, t.TempDir())
	r.fake.set(snapshot("s", "m1:down m2:down m3:down m4:down m5:down m6:up m7:up m8:up m9:up"))
	r.configure(askedAt(t, "http://"+server.Addr()), "http://"+alertmanager.Addr())
	defer r.run()()
	testserver.Eventually(t, func() bool {
		answers := map[string]string{}
		for _, a := range alertmanager.Alerts() {
			if a.Labels["host"] != "" {
				answers[a.Labels["host"]] = a.Annotations["host_answers"]
			}
		}
		return fmt.Sprint(answers) == "map[m1:yes m2:no m3:no m4:unknown m5:unknown]"
	}, patience, 50*time.Millisecond, "the alerts say which hosts answer")
}

// An asked server is the receiver, and a Prometheus that answers with a body, or with nothing, which lets the bridge wait.
type asked struct {
	*receiver
	body atomic.Value
}

func (p *asked) RoundTrip(q *http.Request) (*http.Response, error) {
	body, _ := p.body.Load().(string)
	switch {
	case q.URL.Host != "prometheus:9090":
		return p.receiver.RoundTrip(q)
	case body == "":
		<-q.Context().Done()
		return nil, q.Context().Err()
	}
	return &http.Response{StatusCode: http.StatusOK, Status: "200 OK", Body: io.NopCloser(strings.NewReader(body))}, nil
}

// A Prometheus that hangs delays no alert. What it said is believed for half a minute.
func TestPrometheusHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &asked{receiver: &receiver{}}
		f.body.Store(`{"data": {"resultType": "vector", "result": [{"metric": {"host": "a"}, "value": [1, "0"]}, {"metric": {}, "value": [1, "1"]}]}}`)
		r := newTestBridge(t, t.TempDir())
		r.transport = f
		r.fake.set(snapshot("s", "a:up b:up c:up d:up e:up"))
		r.configure(askedAt(t, "http://prometheus:9090"), am)
		defer r.run()()
		time.Sleep(15 * time.Second)
		f.body.Store("")
		time.Sleep(8 * time.Second) // Between two ticks of the bridge.
		f.received()

		died := time.Now()
		r.fake.set(snapshot("s", "a:down b:up c:up d:up e:up"))
		time.Sleep(coalesce)
		synctest.Wait()
		require.Equal(t, []time.Time{died.Add(coalesce)}, f.at)
		require.Equal(t, "no", f.received()[0].Annotations["host_answers"])
		time.Sleep(time.Minute)
		got := f.received()
		require.Equal(t, "unknown", got[len(got)-1].Annotations["host_answers"])
		require.Equal(t, 1, strings.Count(r.log.String(), "Asking Prometheus which hosts answer failed"), r.log)

		for _, body := range []string{
			`{"status": "error", "error": "bad expression` + strings.Repeat("!", 10_000) + `"}`, `<html>`, `{"data": {"resultType": "scalar", "result": []}}`,
			`{"data": {"resultType": "vector", "result": [{"metric": {"host": "a"}, "value": [1, "x"]}]}}`,
		} {
			f.body.Store(body)
			time.Sleep(15 * time.Second)
			got = f.received()
			require.Equal(t, "unknown", got[len(got)-1].Annotations["host_answers"], body)
		}
		require.Contains(t, r.log.String(), "it answers 200 OK: bad expression!!")
		require.NotContains(t, r.log.String(), strings.Repeat("!", 300), "an error is cut")
		f.body.Store(`{"data": {"resultType": "vector", "result": [{"metric": {"host": "a"}, "value": [1, "1"]}]}}`)
		time.Sleep(30 * time.Second)
		got = f.received()
		require.Equal(t, "yes", got[len(got)-1].Annotations["host_answers"])
		require.Contains(t, r.log.String(), "Prometheus says again which hosts answer")
	})
}

// Pages get the answers without an Alertmanager too, and know whether there is a Prometheus to ask.
func TestHostAnswersForPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &asked{receiver: &receiver{}}
		f.body.Store(`{"data": {"resultType": "vector", "result": [{"metric": {"host": "a"}, "value": [1, "0"]}, {"metric": {"host": "b"}, "value": [1, "1"]}]}}`)
		r := newTestBridge(t, t.TempDir())
		r.transport = f
		r.fake.set(snapshot("s", "a:down b:up"))
		require.Nil(t, r.HostAnswers(), "before the bridge runs")
		r.configure(askedAt(t, "http://prometheus:9090"))
		defer r.run()()
		synctest.Wait()
		answers := r.HostAnswers()
		require.Equal(t, []string{"no", "yes", "unknown"}, []string{answers("a"), answers("b"), answers("c")})
		f.body.Store("") // It hangs.
		time.Sleep(answerLasts)
		require.Equal(t, "unknown", answers("a"))
		r.configure(nil)
		synctest.Wait()
		require.Nil(t, r.HostAnswers(), "no Prometheus is configured any more")
	})
}
