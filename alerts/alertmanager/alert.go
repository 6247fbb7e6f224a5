// Package alertmanager sends alerts to one Alertmanager: fast, again and again for as long as it takes, in that
// Alertmanager's own time, and without ever making its caller wait.
//
// A second sender of the same alerts, Prometheus, is expected beside it: what is posted merges with its alerts as long as
// the labels are equal, and [Client.Check] finds out whether they are.
package alertmanager

import (
	"slices"
	"strings"
	"time"
)

// An Alert is one version of an alert. It may not be changed any more once it was handed over.
type Alert struct {
	Labels      map[string]string
	Annotations map[string]string
	// GeneratorURL is a page about it; empty: there is none.
	GeneratorURL string

	// Start is when it began, by this machine's clock. With the monotonic reading that [time.Now] gives, its age stays
	// right when that clock is set.
	Start time.Time
	// End is when it ended; zero while it fires.
	End time.Time

	// Detected is the end of the poll that found this version: what the delivery latency counts from. Zero: this is a
	// re-post, and no latency is observed.
	Detected time.Time
	// Held says that nothing is known any more of what it is about. It is not posted to an Alertmanager where somebody else,
	// who knows, has ended it since: see [Options.Ended].
	Held bool
	// First says that it is posted before others, because it inhibits them.
	First bool
}

// Key identifies the alert as Alertmanager does: by its labels, of which those without a value don't count.
func (a *Alert) Key() string {
	names, size := make([]string, 0, len(a.Labels)), 0
	for name, value := range a.Labels {
		if value != "" {
			names = append(names, name)
			size += len(name) + len(value) + 2
		}
	}
	slices.Sort(names)
	var b strings.Builder
	b.Grow(size)
	for _, name := range names {
		b.WriteString(name)
		b.WriteByte('\xff') // It is in no UTF-8 text, so that no two sets of labels give the same key.
		b.WriteString(a.Labels[name])
		b.WriteByte('\xff')
	}
	return b.String()
}

// fires says whether this version does not end the alert.
func (a *Alert) fires() bool { return a.End.IsZero() }
