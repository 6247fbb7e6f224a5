package testserver

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// Prom is a real Prometheus server.
type Prom struct {
	*Process
	httpAPI
	config string // the path of its configuration
}

// A Sample is one series' value in the answer to an instant query.
type Sample struct {
	Labels map[string]string
	Value  float64
	Time   time.Time
}

// A RuleAlert is an alert in Prometheus: the state of an alerting rule for one set of labels.
type RuleAlert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	State       string            `json:"state"` // pending or firing
	ActiveAt    time.Time         `json:"activeAt"`
	Value       string            `json:"value"`
}

// Prometheus starts a Prometheus server with the text of its prometheus.yml, in which paths must be absolute; args are
// added to its command line.
func Prometheus(t TB, config string, args ...string) *Prom {
	t.Helper()
	return PrometheusAt(t, released(t, "prometheus", "prometheus"), config, args...)
}

// PrometheusAt starts a Prometheus server whose program is at a path.
func PrometheusAt(t TB, daemon, config string, args ...string) *Prom {
	t.Helper()
	dir := TempDir(t)
	return startPrometheus(t, daemon, dir, filepath.Join(dir, "data"), config, args)
}

// PrometheusOn starts a Prometheus server that has the samples of a folder, and keeps its own there.
func PrometheusOn(t TB, data, config string, args ...string) *Prom {
	t.Helper()
	return startPrometheus(t, released(t, "prometheus", "prometheus"), TempDir(t), data, config, args)
}

func startPrometheus(t TB, daemon, dir, data, config string, args []string) *Prom {
	t.Helper()
	p := &Prom{httpAPI: httpAPI{loopback(Port(t))}, config: filepath.Join(dir, "prometheus.yml")}
	configure(t, p.config, config)
	argv := append([]string{
		daemon, "--config.file=" + p.config, "--storage.tsdb.path=" + data,
		"--web.listen-address=" + p.Addr(), "--web.enable-lifecycle", "--log.level=warn",
	}, args...)
	p.Process = newProcess(t, "prometheus", dir, argv, p.answers)
	return p
}

// Promtool returns the path of promtool.
func Promtool(t TB) string { t.Helper(); return find(t, "promtool", "prometheus") }

// Reload replaces the server's configuration, and makes the server read it and its rule files.
func (p *Prom) Reload(config string) {
	p.t.Helper()
	configure(p.t, p.config, config)
	if err := p.reload(); err != nil {
		p.t.Fatalf("reloading prometheus: %v", err)
	}
}

// Query evaluates an expression now and returns its samples: none if nothing matches. A scalar is a sample without labels.
func (p *Prom) Query(expr string) []Sample {
	p.t.Helper()
	var answer struct {
		Data struct {
			ResultType string          `json:"resultType"`
			Result     json.RawMessage `json:"result"`
		} `json:"data"`
	}
	if err := p.get("/api/v1/query?query="+url.QueryEscape(expr), &answer); err != nil {
		p.t.Fatalf("prometheus: %v", err)
	}
	samples, err := decodeSamples(answer.Data.ResultType, answer.Data.Result)
	if err != nil {
		p.t.Fatalf("prometheus: decoding the answer to %s: %v", expr, err)
	}
	return samples
}

// Alerts returns the alerts of the server's rules, including pending ones.
func (p *Prom) Alerts() []RuleAlert {
	p.t.Helper()
	var answer struct {
		Data struct {
			Alerts []RuleAlert `json:"alerts"`
		} `json:"data"`
	}
	if err := p.get("/api/v1/alerts", &answer); err != nil {
		p.t.Fatalf("prometheus: %v", err)
	}
	return answer.Data.Alerts
}

func decodeSamples(kind string, result json.RawMessage) ([]Sample, error) {
	var vector []struct {
		Metric map[string]string
		Value  point
	}
	switch kind {
	case "vector":
		if err := json.Unmarshal(result, &vector); err != nil {
			return nil, err
		}
	case "scalar":
		var scalar point
		err := json.Unmarshal(result, &scalar)
		return []Sample{{Value: scalar.value, Time: scalar.time}}, err
	default:
		return nil, fmt.Errorf("%s is neither a vector nor a scalar", kind)
	}
	samples := make([]Sample, len(vector))
	for i, v := range vector {
		samples[i] = Sample{Labels: v.Metric, Value: v.Value.value, Time: v.Value.time}
	}
	return samples, nil
}

// A point is a time and a value as Prometheus writes them: [1700000000.123, "0.5"].
type point struct {
	time  time.Time
	value float64
}

// UnmarshalJSON implements [json.Unmarshaler].
func (p *point) UnmarshalJSON(data []byte) error {
	var seconds float64
	var text string
	if err := json.Unmarshal(data, &[]any{&seconds, &text}); err != nil {
		return err
	}
	p.time = time.UnixMilli(int64(math.Round(seconds * 1000)))
	var err error
	p.value, err = strconv.ParseFloat(text, 64)
	return err
}

// configure writes a server's configuration.
func configure(t TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatalf("writing a configuration: %v", err)
	}
}
