package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

// named runs the command check, with which an operator looks for the cause, until it names the fault as f.says expects. It returns an
// error if the fault ends before.
func (env *environment) named(f *fault) error {
	pattern, end := regexp.MustCompile(f.says), time.Now().Add(f.duration)
	said := "check did not run"
	for time.Now().Before(end) {
		lines, err := env.check()
		if err != nil {
			return err
		}
		said = strings.Join(lines, "\n")
		// While the exporter runs, it is also another instance with the same folder.
		if pattern.MatchString(said) && (f.exporterDown || strings.Contains(said, "the folder is in use by process")) {
			return nil
		}
	}
	return fmt.Errorf("check did not name the fault: no line matches %q in\n%s", f.says, said)
}

// check returns the lines of the command check.
func (env *environment) check() ([]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), waitTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, env.program, "check", "--format=json", "--timeout="+backendTimeout.String(),
		"--config.file="+env.config("exporter"), "--storage.path="+env.storage.path).Output()
	var answer struct {
		Lines []struct{ Target, Status, Subject, Text string }
	}
	if jsonErr := json.Unmarshal(out, &answer); jsonErr != nil { // A failure that check found is an exit code, too.
		return nil, fmt.Errorf("running check: %w, %w", err, jsonErr)
	}
	lines := make([]string, len(answer.Lines))
	for i, l := range answer.Lines {
		lines[i] = fmt.Sprintf("%s %s %s: %s", l.Target, l.Status, l.Subject, l.Text)
	}
	return lines, nil
}
