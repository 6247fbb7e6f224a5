package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"servicegroup_exporter/check"
	"servicegroup_exporter/cli/term"
	"servicegroup_exporter/drivers"
)

// checkFlags are the flags of check.
type checkFlags struct {
	timeout time.Duration
	format  string
	strict  bool
	color   *string
}

func (a *cli) checkCommand() command {
	c := a.kingpin.Command("check", "Connect to every source and Alertmanager of the configuration and to its Prometheus, and report what is wrong with a remedy. Change nothing.")
	f := &checkFlags{color: addColorFlag(c)}
	c.Flag("timeout", "Maximum time for each source, each Alertmanager and Prometheus. Heartbeats are observed within it.").
		Default("12s").DurationVar(&f.timeout)
	c.Flag("format", "Output format: table or json.").Default("table").EnumVar(&f.format, "table", "json")
	c.Flag("strict", "Exit with code 1 for warnings too, not only for failures.").BoolVar(&f.strict)
	return func() error { return a.check(f) }
}

func (a *cli) check(f *checkFlags) error {
	if f.timeout <= 0 {
		return usageError("--timeout is %v, must be positive", f.timeout)
	}
	ctx, cancel := a.untilStopped()
	defer cancel()
	checker := check.New(check.Options{
		ConfigFile: a.configFile, ConfigBasePath: a.configBasePath, StoragePath: a.storagePath, Timeout: f.timeout, Logger: a.logger,
	})
	began := time.Now()
	done := a.reporting(func() string { return waitingFor(checker.Waiting(), time.Since(began)) })
	result := newCheckResult(checker.Run(ctx))
	done()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("check was interrupted: %w", err)
	}
	if err := result.print(a.Stdout, f); err != nil {
		return err
	}
	if result.Failures > 0 || f.strict && result.Warnings > 0 {
		return &exitError{exitFailure, nil}
	}
	return nil
}

// waitingFor returns the text of the progress.
func waitingFor(targets []string, took time.Duration) string {
	if len(targets) == 0 {
		return ""
	}
	return fmt.Sprintf("Waiting for %s (%s)", strings.Join(targets, ", "), took.Round(time.Second))
}

// A checkResult is the output of `check --format json`.
type checkResult struct {
	OK       int          `json:"ok"`
	Warnings int          `json:"warnings"`
	Failures int          `json:"failures"`
	Lines    []check.Line `json:"lines"`
}

func newCheckResult(lines []check.Line) *checkResult {
	r := &checkResult{Lines: lines}
	for i := range lines {
		switch lines[i].Status {
		case drivers.StatusOK:
			r.OK++
		case drivers.StatusWarning:
			r.Warnings++
		case drivers.StatusFailure:
			r.Failures++
		}
	}
	return r
}

func (r *checkResult) print(out io.Writer, f *checkFlags) error {
	if f.format == "json" {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		return encoder.Encode(r)
	}
	return r.printTable(term.New(out, *f.color))
}

// printTable prints the lines below their targets. On a terminal long texts continue in the next line.
func (r *checkResult) printTable(s *term.Screen) error {
	const statusWidth, gap = len("warning"), "  "
	subjectWidth := 0
	for i := range r.Lines {
		subjectWidth = max(subjectWidth, len(r.Lines[i].Subject))
	}
	indent := strings.Repeat(" ", 2*len(gap)+statusWidth+subjectWidth+len(gap))
	var b strings.Builder
	for i := range r.Lines {
		l := &r.Lines[i]
		if i == 0 || l.Target != r.Lines[i-1].Target {
			fmt.Fprintf(&b, "%s\n", s.Paint(term.Printable(l.Target), term.Bold))
		}
		status := s.Paint(fmt.Sprintf("%-*s", statusWidth, l.Status), statusStyle(l.Status))
		fmt.Fprintf(&b, "%s%s%s%-*s%s", gap, status, gap, subjectWidth, l.Subject, gap)
		texts := wrapped(s, term.Printable(l.Text), len(indent))
		if l.Remedy != "" {
			texts = append(texts, wrapped(s, "→ "+term.Printable(l.Remedy), len(indent))...)
		}
		b.WriteString(strings.Join(texts, "\n"+indent) + "\n")
	}
	fmt.Fprintf(&b, "%d ok, %s, %s\n", r.OK, check.Count(r.Warnings, "warning"), check.Count(r.Failures, "failure"))
	_, err := io.WriteString(s, b.String())
	return err
}

// wrapped breaks a text into lines that fit the terminal beside the columns before it.
func wrapped(s *term.Screen, text string, indent int) []string {
	if width := s.Width(); width < math.MaxInt && width > indent+20 {
		return s.Wrap(text, width-indent)
	}
	return []string{text}
}

func statusStyle(status drivers.Status) term.Style {
	switch status {
	case drivers.StatusWarning:
		return term.Yellow
	case drivers.StatusFailure:
		return term.Red
	case drivers.StatusOK:
	}
	return term.Green
}
