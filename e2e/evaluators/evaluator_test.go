package evaluators

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"servicegroup_exporter/internal/testserver"

	"github.com/stretchr/testify/require"
)

// latencyOffset is how far VictoriaMetrics evaluates in the past, so that the samples of that time can be read. The default of
// both flags is 30 s.
const latencyOffset = 5 * time.Second

const watchdog = "ServiceGroupWatchdog"

// An evaluator scrapes the exporters, evaluates the rules, and posts alerts to a receiver of its own.
type evaluator struct {
	*testing.T
	name     string
	url      string        // where it answers queries
	offset   time.Duration // how far in the past it evaluates
	receiver *receiver
	scrape   func(targets string) // makes it scrape these targets
}

// newPrometheus starts a Prometheus server.
func newPrometheus(t *testing.T, name, rules, targets string, start func(config string) *testserver.Prom) *evaluator {
	e := &evaluator{T: t, name: name, receiver: newReceiver(t)}
	config := func(targets string) string {
		return fmt.Sprintf(`global: {evaluation_interval: %s}
rule_files: [%s]
alerting: {alertmanagers: [{static_configs: [{targets: [%q]}]}]}
%s`, interval, rules, e.receiver.Listener.Addr(), scrapeConfig(targets))
	}
	prometheus := start(config(targets))
	e.url = prometheus.URL()
	e.scrape = func(targets string) { prometheus.Reload(config(targets)) }
	return e
}

// newVictoriaMetrics starts VictoriaMetrics and vmalert, with more flags for vmalert.
func newVictoriaMetrics(t *testing.T, rules, targets, alertmanager string, flags ...string) *evaluator {
	e := &evaluator{T: t, name: "VictoriaMetrics", offset: latencyOffset, receiver: newReceiver(t)}
	if alertmanager == "" {
		alertmanager = e.receiver.URL
	}
	dir := testserver.TempDir(t)
	config := filepath.Join(dir, "scrape.yml")
	write(t, config, scrapeConfig(targets))
	address := fmt.Sprintf("127.0.0.1:%d", testserver.Port(t))
	e.url = "http://" + address
	testserver.Program(t, "victoria-metrics", []string{
		testserver.Built(t, "victoria-metrics"), "-httpListenAddr=" + address, "-storageDataPath=" + filepath.Join(dir, "data"),
		"-promscrape.config=" + config, fmt.Sprintf("-search.latencyOffset=%s", latencyOffset), "-loggerLevel=WARN",
	}, func() error { return healthy(e.url) })
	alerting := fmt.Sprintf("127.0.0.1:%d", testserver.Port(t))
	testserver.Program(t, "vmalert", append([]string{
		testserver.Built(t, "vmalert"), "-httpListenAddr=" + alerting, "-rule=" + rules, "-notifier.url=" + alertmanager,
		"-datasource.url=" + e.url, "-remoteWrite.url=" + e.url, "-remoteRead.url=" + e.url,
		fmt.Sprintf("-evaluationInterval=%s", interval), fmt.Sprintf("-rule.evalDelay=%s", latencyOffset), "-loggerLevel=WARN",
		"-remoteWrite.flushInterval=500ms",
	}, flags...), func() error { return healthy("http://" + alerting) })
	e.scrape = func(targets string) {
		write(t, config, scrapeConfig(targets))
		_, err := get(e.url + "/-/reload")
		require.NoError(t, err)
	}
	return e
}

// scrapeConfig returns the part of a configuration that names the exporters.
func scrapeConfig(targets string) string {
	return fmt.Sprintf(`scrape_configs:
  - job_name: servicegroup_exporter
    honor_labels: true
    scrape_interval: %s
    scrape_timeout: %s
    static_configs: [%s]
`, interval, interval, targets)
}

// target returns the target of a cloud's exporter, with the cloud's label.
func (c *cloud) target() string {
	return fmt.Sprintf("{targets: [%q], labels: {cluster: %s}}", c.web, c.name)
}

func healthy(url string) error { _, err := get(url + "/health"); return err }

func get(url string) ([]byte, error) {
	response, err := (&http.Client{Timeout: 10 * time.Second}).Get(url)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode/100 != 2 {
		err = fmt.Errorf("%s: %s: %s", url, response.Status, body)
	}
	return body, err
}

// A point is one sample.
type point struct {
	time  float64 // in seconds since 1970
	value float64
}

// samples returns the samples of one series since a time, oldest first.
func (e *evaluator) samples(selector string, since time.Time) []point {
	e.Helper()
	seconds := int(time.Since(since).Seconds()) + 1
	body, err := get(fmt.Sprintf("%s/api/v1/query?nocache=1&query=%s", e.url, url.QueryEscape(fmt.Sprintf("%s[%ds]", selector, seconds))))
	require.NoError(e, err)
	var answer struct {
		Data struct {
			Result []struct {
				Values [][2]any `json:"values"`
			} `json:"result"`
		} `json:"data"`
	}
	require.NoError(e, json.Unmarshal(body, &answer), "%s", body)
	require.LessOrEqual(e, len(answer.Data.Result), 1, "%s is more than one series: %s", selector, body)
	var points []point
	for _, series := range answer.Data.Result {
		for _, v := range series.Values {
			value, err := strconv.ParseFloat(fmt.Sprint(v[1]), 64)
			if err == nil && !math.IsNaN(value) { // VictoriaMetrics returns the marks of the ends of series, too.
				points = append(points, point{v[0].(float64), value})
			}
		}
	}
	return points
}

// firstTime returns the time of the first sample since a time for which a condition holds, or -1.
func (e *evaluator) firstTime(selector string, since time.Time, condition func(value float64) bool) float64 {
	e.Helper()
	for _, p := range e.samples(selector, since) {
		if condition(p.value) {
			return p.time
		}
	}
	return -1
}

// evaluations returns how many evaluations there were after a time, and before another.
func (e *evaluator) evaluations(since time.Time, after, before float64) int {
	e.Helper()
	n := 0
	for _, p := range e.samples(fmt.Sprintf(`ALERTS{alertname=%q}`, watchdog), since) {
		if p.time >= after && p.time < before {
			n++
		}
	}
	return n
}
