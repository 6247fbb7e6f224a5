package app

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// accepted are the Accept headers of scrapers, by the parser of python that has to read the answer. Prometheus with native histograms
// asks for protobuf before all of them.
func accepted() map[string]string {
	const prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5," +
		"text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
	return map[string]string{
		prometheus: "openmetrics.parser",
		"application/openmetrics-text;version=1.0.0;charset=utf-8":        "openmetrics.parser",
		"application/openmetrics-text;version=0.0.1":                      "openmetrics.parser",
		"application/openmetrics-text;version=1.0.0;escaping=underscores": "openmetrics.parser",
		"text/plain;version=0.0.4":                                        "parser",
		"text/plain;version=1.0.0;escaping=allow-utf-8":                   "parser",
		"*/*": "parser",
		"":    "parser",
	}
}

// parse reads an exposition with a parser of python's client, which is stricter than Prometheus, and prints how many families and samples
// it has, and the names of members.
const parse = `
import sys
from prometheus_client.%s import text_string_to_metric_families
families = list(text_string_to_metric_families(sys.stdin.read()))
assert len(set(f.name for f in families)) == len(families) or "openmetrics" not in text_string_to_metric_families.__module__
print(len(families), sum(len(f.samples) for f in families))
print(sorted(s.labels["member"] for f in families for s in f.samples if s.name == "service_up"))
`

// The metrics of a server pass python's strict parsers, in each format that has text.
func TestMetricsInPythonsParsers(t *testing.T) {
	t.Parallel()
	members := newAskers(t, testserver.MariaDB(t))
	odd := "h\"3 \\n\n{a=\"b\"} é # EOF"
	for _, statement := range []string{
		"INSERT INTO services (created_at, host, `binary`, topic, report_count, disabled, deleted, last_seen_up, forced_down, version) " +
			"SELECT created_at, ?, `binary`, topic, 7, 0, 0, last_seen_up, 0, 60 FROM services WHERE host = 'h1'",
		"UPDATE services SET last_seen_up = '2020-01-01 00:00:00' WHERE host = 'h2' AND ? != ''", // It dies, so that histograms have values.
	} {
		_, err := members.db.ExecContext(t.Context(), statement, odd)
		require.NoError(t, err)
	}
	require.Contains(t, members.scrape("60"), "servicegroup_detection_latency_seconds_count")

	others, err := New(t.Context(), testOptions(t)) // with a bridge and a canary
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- others.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	for accept, parser := range accepted() {
		output := python(t, parser, members.request("/metrics", "Accept", accept, "X-Prometheus-Scrape-Timeout-Seconds", "60"))
		require.Equal(t, "['h"+`"3 \\n\n{a="b"} é # EOF`+"', 'h1', 'h2']", output[1], accept)
		if parser == "parser" && accept != "" {
			continue // Each start of python takes a while.
		}
		reader := &askers{App: others, t: t}
		python(t, parser, reader.request("/metrics", "Accept", accept, "X-Prometheus-Scrape-Timeout-Seconds", "60"))
	}
}

// python parses a text, and returns the lines that the script prints.
func python(t *testing.T, parser, text string) []string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "/usr/bin/python3", "-c", fmt.Sprintf(parse, parser))
	command.Stdin = strings.NewReader(text)
	command.WaitDelay = time.Second
	output, err := command.CombinedOutput()
	require.NoError(t, err, "%s", output)
	lines := strings.Split(string(output), "\n")
	families, _, _ := strings.Cut(lines[0], " ")
	n, err := strconv.Atoi(families)
	require.NoError(t, err, "%s", output)
	require.Greater(t, n, 60, "families")
	return lines
}
