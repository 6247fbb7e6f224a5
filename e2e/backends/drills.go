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

// An evaluation is one run of the program.
type evaluation struct {
	*testserver.Bench
	plan
	images       string
	dir, program string
	labs         []lab

	mu       sync.Mutex
	commands map[string]string // of the drills, by what they measure
}

// evaluate measures everything and prints it.
func (e *evaluation) evaluate(out io.Writer) {
	e.commands = map[string]string{}
	e.prepare()
	e.labs = startLabs(e)
	loads := e.measureLoad()
	detections := e.measureDetection()
	busy := e.measureBusy()
	e.printMachine(out, loads)
	e.printLoad(out, loads)
	e.printDetection(out, detections)
	e.printMistakes(out, loads, busy)
}

// prepare builds the program that users have, and makes the folder for plots.
func (e *evaluation) prepare() {
	e.dir, e.program = testserver.TempDir(e), testserver.BuildExporter(e)
	if err := os.MkdirAll(e.images, 0o755); err != nil {
		e.Fatalf("making the folder for plots: %v", err)
	}
}

// drill runs the command against a lab and gives its report. Of each kind of drill one command is kept, to be shown.
func (e *evaluation) drill(kind string, l lab, timeout time.Duration, args ...string) (*drill.Report, error) {
	e.Logf("%s: %s, timeout %v, %s", kind, l.name, timeout, strings.Join(args, " "))
	config, err := os.CreateTemp(e.dir, "*.yml")
	if err != nil {
		return nil, err
	}
	defer config.Close()
	_, err = fmt.Fprintf(config, "sources:\n  - {name: lab, poll_interval: %v, %s}\n", pollInterval, l.source(timeout))
	if err != nil {
		return nil, err
	}
	args = append([]string{"drill"}, args...)
	e.mu.Lock()
	e.commands[kind] = "servicegroup_exporter --config.file=FILE " + strings.Join(args, " ")
	e.mu.Unlock()
	var printed, said bytes.Buffer
	cmd := exec.Command(e.program, append([]string{"--config.file=" + config.Name(), "--storage.path=" + e.dir}, append(args, "--format=json")...)...)
	cmd.Stdout, cmd.Stderr = &printed, &said
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("drill on %s: %w\n%s", l.name, err, said.String())
	}
	var report drill.Report
	if err := json.Unmarshal(printed.Bytes(), &report); err != nil {
		return nil, fmt.Errorf("reading the report of a drill: %w", err)
	}
	return &report, nil
}

// save writes a plot and gives the Markdown that shows it.
func (e *evaluation) save(name string, chart *plot.Chart) string {
	path := filepath.Join(e.images, "evaluation-"+name+".svg")
	if err := os.WriteFile(path, chart.SVG(), 0o644); err != nil {
		e.Fatalf("writing a plot: %v", err)
	}
	return fmt.Sprintf("![%s](images/%s)\n", chart.Title, filepath.Base(path))
}
