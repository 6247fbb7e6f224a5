package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"servicegroup_exporter/e2e/plot"
	"servicegroup_exporter/internal/testserver"
	"servicegroup_exporter/probe/drill"
)

// An evaluation is one run of this program.
type evaluation struct {
	*testserver.Bench
	plan
	images       string // folder
	dir, program string
	environments []environment

	mu       sync.Mutex
	commands map[string]string // an example of a drill command, by what it measures
}

// evaluate measures everything and prints it.
func (e *evaluation) evaluate(out io.Writer) {
	e.commands = map[string]string{}
	e.prepare()
	e.environments = startEnvironments(e)
	loads := e.measureLoad()
	detections := e.measureDetection()
	busy := e.measureBusy()
	e.printMachine(out, loads)
	e.printLoad(out, loads)
	e.printDetection(out, detections)
	e.printMistakes(out, loads, busy)
}

// prepare builds the program, and creates the folder for plots.
func (e *evaluation) prepare() {
	e.dir, e.program = testserver.TempDir(e), testserver.ExporterPath(e)
	if err := os.MkdirAll(e.images, 0o755); err != nil {
		e.Fatalf("creating the folder for plots: %v", err)
	}
}

// drill runs the command drill in an environment and returns its report. It keeps one command of each kind for the report.
func (e *evaluation) drill(kind string, env environment, timeout time.Duration, args ...string) (*drill.Report, error) {
	e.Logf("%s: %s, timeout %v, %s", kind, env.name, timeout, strings.Join(args, " "))
	config, err := os.CreateTemp(e.dir, "*.yml")
	if err != nil {
		return nil, err
	}
	defer config.Close()
	_, err = fmt.Fprintf(config, "sources:\n  - {name: test, poll_interval: %v, %s}\n", pollInterval, env.source(timeout))
	if err != nil {
		return nil, err
	}
	args = append([]string{"drill"}, args...)
	e.mu.Lock()
	e.commands[kind] = "servicegroup_exporter --config.file=FILE " + strings.Join(args, " ")
	e.mu.Unlock()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(e.program, append([]string{"--config.file=" + config.Name(), "--storage.path=" + e.dir}, append(args, "--format=json")...)...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("drill on %s: %w\n%s", env.name, err, stderr.String())
	}
	var report drill.Report
	if err := json.Unmarshal(stdout.Bytes(), &report); err != nil {
		return nil, fmt.Errorf("reading the report of a drill: %w", err)
	}
	return &report, nil
}

// save writes a plot and returns the Markdown that shows it.
func (e *evaluation) save(name string, chart *plot.Chart) string {
	path := filepath.Join(e.images, "evaluation-"+name+".svg")
	if err := os.WriteFile(path, chart.SVG(), 0o644); err != nil {
		e.Fatalf("writing a plot: %v", err)
	}
	return fmt.Sprintf("![%s](images/%s)\n", chart.Title, filepath.Base(path))
}
