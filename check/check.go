// Package check tells an operator before the program is trusted whether its configuration does what was meant. It reads the
// configuration, connects to every source, roster and Alertmanager, and to Prometheus, at the same time, and returns lines, each with a remedy where
// one is needed. It changes nothing anywhere.
//
// What only a driver knows, the driver tells by [drivers.Inspector]. source.go has what a poll shows, heartbeats.go what several
// polls show, latency.go what follows for the time until a page, program.go the folder with the state and the labels,
// alertmanager.go the Alertmanagers, and prometheus.go the Prometheus that is asked which hosts answer.
package check

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/sources"
)

// A Line is one thing that was checked.
type Line struct {
	// Target is "program", or "source", "alertmanager" or "prometheus" with a name.
	Target string `json:"target"`
	drivers.Finding
}

// Options are what a check needs from the command line.
type Options struct {
	// ConfigFile is the configuration file. If it is empty, an embedded store in StoragePath is the only source.
	ConfigFile, StoragePath string
	// ConfigBasePath is the folder at which relative paths in the configuration file begin; empty: the file's own folder.
	ConfigBasePath string
	// Timeout bounds the connections to each target.
	Timeout time.Duration
	Logger  *slog.Logger
}

// A Checker runs one check.
type Checker struct {
	opts Options

	mu      sync.Mutex
	waiting []string
}

// New returns a checker.
func New(o Options) *Checker { return &Checker{opts: o} }

// Waiting returns the targets that have not answered yet.
func (c *Checker) Waiting() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.waiting)
}

// begin adds a target to those that are waited for, and returns a function that removes it.
func (c *Checker) begin(target string) (end func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting = append(c.waiting, target)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if i := slices.Index(c.waiting, target); i >= 0 {
			c.waiting = slices.Delete(c.waiting, i, i+1)
		}
	}
}

// Run checks everything, and returns when all targets have answered or their time has passed.
func (c *Checker) Run(ctx context.Context) []Line {
	cfg, lines := c.load()
	lines = append(lines, stateFolder(c.opts.StoragePath)...)
	if cfg == nil {
		return lines
	}
	lines = append(lines, labels(&cfg.Alerting))

	set := sources.New(cfg, nil, c.opts.Logger)
	end := c.begin("Nova's cells")
	discover, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	_ = set.Discover(discover) // The source of the API database says why its cells are not known.
	cancel()
	end()

	all := set.Sources()
	found := make([]sourceResult, len(all))
	asked := make([]alertmanagerResult, len(cfg.Alerting.Alertmanagers))
	var targets sync.WaitGroup
	for i := range all {
		targets.Go(func() {
			defer c.begin("source " + all[i].Name)()
			found[i] = c.source(ctx, &all[i])
		})
	}
	for i := range asked {
		targets.Go(func() {
			am := &cfg.Alerting.Alertmanagers[i]
			defer c.begin("alertmanager " + am.Name())()
			asked[i] = c.alertmanager(ctx, am, &cfg.Alerting, all)
		})
	}
	var answers prometheusResult
	if prometheus := cfg.Alerting.Prometheus; prometheus != nil {
		targets.Go(func() {
			defer c.begin("prometheus " + prometheus.Name())()
			answers = c.prometheus(ctx, &cfg.Alerting)
		})
	}
	targets.Wait()
	hosts := map[string]bool{}
	for i := range found {
		maps.Copy(hosts, found[i].hosts)
		findings := found[i].findings
		if found[i].readable && !found[i].listsDatabases {
			findings = append(findings, latency(&found[i], &cfg.Alerting, asked))
			if f := suspicion(&found[i], all[i].Declared.Suspicion, time.Duration(cfg.Alerting.ScrapeInterval)); f != nil {
				findings = append(findings, *f)
			}
		}
		lines = append(lines, linesOf("source "+all[i].Name, findings)...)
	}
	for i := range asked {
		lines = append(lines, linesOf("alertmanager "+cfg.Alerting.Alertmanagers[i].Name(), asked[i].findings)...)
	}
	if prometheus := cfg.Alerting.Prometheus; prometheus != nil {
		lines = append(lines, linesOf("prometheus "+prometheus.Name(), c.prometheusFindings(answers, prometheus, hosts))...)
	}
	return lines
}

// load reads the configuration. If it has mistakes, load returns a line for each, and no configuration.
func (c *Checker) load() (*config.Config, []Line) {
	const subject = "configuration"
	if c.opts.ConfigFile == "" {
		return sources.Embedded(c.opts.StoragePath), linesOf(program, []drivers.Finding{drivers.Warning(subject,
			"no configuration file was given: the only source is the embedded store in the folder "+c.opts.StoragePath,
			"give the file with --config.file")})
	}
	cfg, err := sources.LoadAt(c.opts.ConfigFile, c.opts.ConfigBasePath)
	if err != nil {
		var findings []drivers.Finding
		for mistake := range strings.SplitSeq(err.Error(), "\n") {
			findings = append(findings, drivers.Failure(subject, mistake, "correct the file; the other checks need it"))
		}
		return nil, linesOf(program, findings)
	}
	return cfg, linesOf(program, []drivers.Finding{drivers.OK(subject, "%s is valid: %s, %s",
		c.opts.ConfigFile, Count(len(cfg.Sources), "source"), Count(len(cfg.Alerting.Alertmanagers), "Alertmanager"))})
}

// program is the target of lines about this program and its machine.
const program = "program"

func linesOf(target string, findings []drivers.Finding) []Line {
	lines := make([]Line, len(findings))
	for i, f := range findings {
		f.Text, f.Remedy = oneLine(f.Text), oneLine(f.Remedy)
		lines[i] = Line{target, f}
	}
	return lines
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// Count returns a number with its noun, as "1 source" or "3 sources".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// short returns a duration without the zeros at its end, as "1m" and not "1m0s".
func short(d time.Duration) string {
	text := d.Round(time.Millisecond).String()
	for _, zero := range []string{"0s", "0m"} {
		if rest, found := strings.CutSuffix(text, zero); found && strings.HasSuffix(rest, map[string]string{"0s": "m", "0m": "h"}[zero]) {
			text = rest
		}
	}
	return cmp.Or(text, "0s")
}
