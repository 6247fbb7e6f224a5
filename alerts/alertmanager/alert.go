// Package alertmanager sends alerts to an Alertmanager of the configuration. Sending never blocks the caller: alerts wait in a queue, are posted
// at once, and are posted again after a failure until the Alertmanager accepts or refuses them.
//
// Prometheus is expected to send the same alerts by its rules. Alertmanager merges two alerts whose labels are equal.
//
// Begin with [Clients], which has a [Client] for each address of a name. Its goroutine is in run.go: deliver.go posts what is in
// queue.go, request.go makes the requests, and reason.go says why one failed. states.go asks for pages what became of an alert, and
// inspect.go asks for the command check. Tests use an Alertmanager without a network in fake time (fake_test.go), and real ones
// (real_test.go).
//
// Four files do more than most senders do:
//   - clock.go converts times to the Alertmanager's clock, because Alertmanager keeps an alert firing when it receives
//     an end that lies in its future. confirm.go finds out what that clock shows.
//   - resolved_elsewhere.go asks Alertmanager whether another sender has resolved an alert, because an exporter that can't
//     read a source would otherwise fire that alert again with each repetition.
//   - label_check.go compares labels with the labels of the rules, because every alert notifies twice while they differ.
package alertmanager

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// An Alert is one version of an alert. It must not be changed after it was passed to a [Client]. Its JSON form is that of
// Alertmanager's API v2, of alerts that are posted and of those that are read.
type Alert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations,omitempty"`
	// GeneratorURL is the URL of a page about the alert; empty: there is none.
	GeneratorURL string `json:"generatorURL,omitempty"`

	// Start is when the alert began, by this machine's clock. If it has a monotonic reading, as times from [time.Now] have,
	// the alert's age stays right when that clock is set.
	Start time.Time `json:"startsAt,omitzero"`
	// End is when the alert ended; zero: it is firing.
	End time.Time `json:"endsAt,omitzero"`
	// Received is when the Alertmanager last received the alert, by its own clock. Only alerts that are read have it.
	Received time.Time `json:"updatedAt,omitzero"`

	// Detected is the end of the poll that found what this version reports; the delivery latency is measured from it.
	// Zero: this version repeats an earlier one, and no latency is observed.
	Detected time.Time `json:"-"`
	// Retained is true if the alert keeps firing only because its source can't be read. It is not posted to an Alertmanager
	// where another sender has resolved it since: see [Options.ResolvedElsewhere].
	Retained bool `json:"-"`
	// First is true if the alert is posted before others, because it inhibits them.
	First bool `json:"-"`

	key string // what Key returns, once a client has queued the alert
}

// Key returns a text that identifies the alert as Alertmanager does: by its labels, without those that are empty.
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
		b.WriteByte('\xff') // No UTF-8 text contains this byte, so that different labels have different keys.
		b.WriteString(a.Labels[name])
		b.WriteByte('\xff')
	}
	return b.String()
}

// fires returns whether this version says that the alert is firing.
func (a *Alert) fires() bool { return a.End.IsZero() }

// inherit takes over the time of detection from an older version that was never posted and reported the same change.
func (a *Alert) inherit(older *Alert) {
	if a.Detected.IsZero() && a.fires() == older.fires() {
		a.Detected = older.Detected
	}
}

// encode returns the body of a post. Its times are by the Alertmanager's clock. A firing alert ends after validity, unless
// it is posted again by then.
func encode(batch []*Alert, now clockSample, validity time.Duration) ([]byte, error) {
	out := make([]Alert, len(batch))
	for i, a := range batch {
		out[i] = *a
		out[i].Start, out[i].End = times(a, now, validity)
	}
	body, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("encoding alerts: %w", err)
	}
	return body, nil
}

// times returns the start and the end of an alert by the Alertmanager's clock. While that may be another one, a firing alert has none:
// Alertmanager then sets both, its start to the time at which it receives the alert, and its end after its resolve_timeout.
//
// Alertmanager refuses an alert that ends before it starts. If an alert ends even milliseconds in Alertmanager's future,
// Alertmanager keeps the end that it knew before, and the alert keeps firing. So the end is at most the earliest time that its
// clock can show.
func times(a *Alert, now clockSample, validity time.Duration) (start, end time.Time) {
	if now.doubtful && a.fires() {
		return time.Time{}, time.Time{}
	}
	start = now.at(a.Start).UTC()
	if a.fires() {
		return start, now.now.Add(validity).UTC()
	}
	end = now.at(a.End).UTC()
	if end.After(now.earliest) {
		end = now.earliest.UTC()
	}
	if !start.Before(end) {
		start = end.Add(-time.Millisecond)
	}
	return start, end
}
