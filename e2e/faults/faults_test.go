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

// TestMain lets the test's own program be the one in the namespaces.
func TestMain(m *testing.M) {
	if isInside() {
		main()
	}
	os.Exit(m.Run())
}

// The short form of the program: no fault costs a member its life or brings one back, and every death is told once.
func TestShort(t *testing.T) {
	var table, progress bytes.Buffer
	code := run([]string{"--short", "--parallel=8"}, &table, io.MultiWriter(&progress, os.Stderr))
	require.Zero(t, code, "%s\n%s", progress.String(), table.String())
	expected := 0
	for _, l := range choose(allLabs(), true, nil) {
		expected += len(l.faults)
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

// What a table says must not depend on chance: no two faults of a lab have the same name, and each has an end in sight.
func TestFaults(t *testing.T) {
	for _, l := range allLabs() {
		seen := map[string]bool{}
		for i := range l.faults {
			f := &l.faults[i]
			require.False(t, seen[f.name], "%s: %s", l.name, f.name)
			seen[f.name] = true
			require.LessOrEqual(t, f.broken, away, f.name)
			require.LessOrEqual(t, f.bound(), diskRetry+usualRecovery, f.name)
			require.False(t, f.quick && f.recovery > usualRecovery, "%s takes longer than seconds", f.name)
		}
	}
}

func TestReport(t *testing.T) {
	f := &fault{name: "struck by lightning"}
	spec := labSpec{name: "cloud", faults: []fault{*f}}
	for name, test := range map[string]struct {
		outcomes []outcome
		want     string
		good     bool
	}{
		"good": {
			[]outcome{{fault: f, recovery: 1500 * time.Millisecond, longest: 20 * time.Millisecond}},
			"| cloud | struck by lightning | 0 | 0 | 0 | 0 | 1.5 s (10.0 s) | 20 ms |", true,
		},
		"bad": {
			[]outcome{{fault: f, falseDeaths: 1, problems: []string{"a death"}}},
			"| cloud | struck by lightning **FAILED** | 0 | 1 |", false,
		},
		"none": {nil, "| cloud | struck by lightning **DID NOT RUN** |", false},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			require.Equal(t, test.good, report(&out, []result{{labSpec: spec, outcomes: test.outcomes}}))
			require.Contains(t, out.String(), test.want)
		})
	}
}
