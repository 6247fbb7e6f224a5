package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
	"servicegroup_exporter/probe/drill"
)

// exampleRuns returns drills on two backends. The last one has mistakes, and no CPU time of its servers.
func exampleRuns() [][]measured {
	report := func(members int, sends uint64) *drill.Report {
		took := 3.5
		return &drill.Report{
			Driver: "zk", Backend: "3.8.0", Members: members, PollInterval: 0.5,
			Baseline: &drill.Load{
				Seconds: 5, Members: drill.Traffic{Sends: sends, BytesOut: 100 * sends, BytesIn: 20 * sends},
				Observer: drill.Traffic{Sends: 10, BytesIn: 4000}, BackendCPU: new(0.5),
			},
			Deaths:   []drill.Death{{Detection: &took}, {}},
			Accuracy: drill.Accuracy{LiveSeconds: 700, AtLeast: 233, Query: 1},
		}
	}
	mistaken := report(100, 1000)
	mistaken.Baseline.BackendCPU = nil
	mistaken.Accuracy.Mistakes, mistaken.Accuracy.Recurrence, mistaken.Accuracy.Query = 7, new(100.0), 0.99
	mistaken.Accuracy.Duration.Mean = 0.5
	return [][]measured{
		{{environment{name: "zk"}, 4 * time.Second, report(10, 100)}, {environment{name: "zk"}, 4 * time.Second, report(100, 1000)}},
		{{environment{name: "mc"}, 4 * time.Second, report(10, 200)}, {environment{name: "mc"}, 4 * time.Second, mistaken}},
	}
}

func TestMarkdownTables(t *testing.T) {
	e := &evaluation{
		Bench: &testserver.Bench{Out: t.Output()}, plan: fullPlan(), images: t.TempDir(),
		commands: map[string]string{"load": "servicegroup_exporter drill"},
	}
	var out bytes.Buffer
	runs := exampleRuns()
	e.printMachine(&out, runs)
	e.printLoad(&out, runs)
	e.printDetection(&out, runs)
	e.printMistakes(&out, runs, largest(runs))
	for _, want := range []string{
		"ZooKeeper 3.8.0", "    servicegroup_exporter drill    # load\n",
		"| zk | 100 | 200/s | 24.0 kB/s | 10.0 % | 1.0 | 400 B |\n",
		"| zk | *10000, extrapolated* | *20000/s* | *2.4 MB/s* | *1000 %* | | |\n",
		"| mc | 100 | 200/s | 24.0 kB/s | not measured | 1.0 | 400 B |\n",
		"| mc | *10000, extrapolated* | *20000/s* | *2.4 MB/s* | *not measured* | | |\n",
		"| zk | 100 | 12 min | 0 | ≥ 233.00 s | – | 1.000000 |",
		"| mc | 100, busy | 12 min | 7 | 100.00 s | 500 ms | 0.990000 |",
	} {
		require.Contains(t, out.String(), want)
	}
	shown := regexp.MustCompile(`!\[[^]]+\]\(images/([^)]+)\)`).FindAllStringSubmatch(out.String(), -1)
	require.Len(t, shown, 4)
	for _, image := range shown {
		require.FileExists(t, filepath.Join(e.images, image[1]))
	}
	// Every row has as many cells as the header of its table.
	for block := range strings.SplitSeq(out.String(), "\n\n") {
		if rows := strings.Split(strings.TrimSpace(block), "\n"); strings.HasPrefix(rows[0], "|") {
			for _, row := range rows {
				require.Equal(t, strings.Count(rows[0], "|"), strings.Count(row, "|"), row)
			}
		}
	}
}

// docs/evaluation.md has a place for every part that tools/evaluate measures.
func TestPageHasAllParts(t *testing.T) {
	page, err := os.ReadFile("../../docs/evaluation.md")
	require.NoError(t, err)
	script, err := os.ReadFile("../../tools/evaluate")
	require.NoError(t, err)
	parts := regexp.MustCompile(`(?m)^part (\w+) `).FindAllStringSubmatch(string(script), -1)
	require.NotEmpty(t, parts)
	for _, part := range parts {
		require.Regexp(t, "(?s)\n<!-- begin "+part[1]+" -->\n.*<!-- end "+part[1]+" -->\n", string(page))
	}
}
