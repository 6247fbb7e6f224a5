package main

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMain runs main if this process is the one in the namespaces.
func TestMain(m *testing.M) {
	if isInside() {
		main()
	}
	os.Exit(m.Run())
}

// The quick faults cause no wrong deaths or recoveries, and every death is reported once.
func TestQuickFaults(t *testing.T) {
	var table, progress bytes.Buffer
	code := run([]string{"--short", "--parallel=8"}, &table, io.MultiWriter(&progress, os.Stderr))
	require.Zero(t, code, "%s\n%s", progress.String(), table.String())
	expected := 0
	for _, env := range choose(allEnvironments(), true, nil) {
		expected += len(env.faults)
	}
	require.Equal(t, expected, strings.Count(table.String(), "\n| ")-2, table.String())
	require.GreaterOrEqual(t, expected, 10)
	require.NotContains(t, table.String(), "FAILED")
	t.Logf("\n%s", table.String())
}

func TestArguments(t *testing.T) {
	var progress bytes.Buffer
	require.Equal(t, 2, run([]string{"--only=("}, io.Discard, &progress))
	require.Contains(t, progress.String(), "missing closing )")
}

// The faults of an environment have different names, and limited durations.
func TestFaultsAreBounded(t *testing.T) {
	for _, env := range allEnvironments() {
		seen := map[string]bool{}
		for i := range env.faults {
			f := &env.faults[i]
			require.False(t, seen[f.name], "%s: %s", env.name, f.name)
			seen[f.name] = true
			require.LessOrEqual(t, f.duration, faultDuration, f.name)
			require.LessOrEqual(t, f.bound(), diskRetry+usualRecovery, f.name)
			require.False(t, f.quick && f.recovery > usualRecovery, "%s takes too long for CI", f.name)
		}
	}
}

func TestReportTable(t *testing.T) {
	f := &fault{name: "lightning"}
	spec := environmentSpec{name: "cloud", faults: []fault{*f}}
	for name, test := range map[string]struct {
		outcomes []outcome
		want     string
		good     bool
	}{
		"good": {
			[]outcome{{fault: f, recovery: 1500 * time.Millisecond, longest: 20 * time.Millisecond}},
			"| cloud | lightning | 0 | 0 | 0 | 0 | 1.5 s (10.0 s) | 20 ms |", true,
		},
		"bad": {
			[]outcome{{fault: f, falseDeaths: 1, problems: []string{"a death"}}},
			"| cloud | lightning **FAILED** | 0 | 1 |", false,
		},
		"none": {nil, "| cloud | lightning **DID NOT RUN** |", false},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			require.Equal(t, test.good, report(&out, []result{{environmentSpec: spec, outcomes: test.outcomes}}))
			require.Contains(t, out.String(), test.want)
		})
	}
}
