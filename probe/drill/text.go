package drill

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// fateOrder is the order in which fates are shown.
func fateOrder() []fate { return []fate{all, fateKill, fateCut, fateFlap, fateFreeze, fateLive} }

// WriteText writes the report for people.
func (r *Report) WriteText(out io.Writer) error {
	backend := r.Driver
	if r.Backend != "" {
		backend += ", " + r.Backend
	}
	fmt.Fprintf(out, "%d members on source %s (%s): %s\n", r.Members, r.Source, backend, r.cast())
	fmt.Fprintf(out, "down time %s, polls every %s, %s of things happening\n\n", text(r.DownTime), text(r.PollInterval), text(r.Duration))
	fmt.Fprintf(out, rowFormat, "", "n", "min", "p50", "p99", "max")
	for _, f := range fateOrder() {
		row(out, "detection time T_D, "+string(f), r.Detection[f])
	}
	row(out, "the same, as the exporter reports it", r.Reported)
	row(out, "reported less true", r.ReportError)
	for _, f := range fateOrder() {
		row(out, "return to seen up, "+string(f), r.Recovery[f])
	}
	row(out, "join", r.Joining.Latency)
	r.writeAccuracy(out)
	return r.writeLoad(out)
}

// cast says how many members have which fate.
func (r *Report) cast() string {
	var parts []string
	for _, f := range fateOrder() {
		if n := r.Fates[f]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, f))
		}
	}
	return strings.Join(parts, ", ")
}

// rowFormat lays out a table of distributions: what it is, and five numbers.
const rowFormat = "%-36s %6s %9s %9s %9s %9s\n"

// row writes one distribution, unless it is empty.
func row(w io.Writer, name string, s Summary) {
	if s.Count == 0 {
		return
	}
	fmt.Fprintf(w, rowFormat, name, strconv.Itoa(s.Count), text(s.Min), text(s.P50), text(s.P99), text(s.Max))
}

func (r *Report) writeAccuracy(w io.Writer) {
	a := &r.Accuracy
	fmt.Fprintf(w, "\ndeaths not noticed      %d (%d more were over before anybody had to notice)\n", r.Undetected, r.Unmeasured)
	fmt.Fprintf(w, "mistakes                %d in %s of members' lives\n", a.Mistakes, text(a.LiveSeconds))
	recurrence := "none seen"
	if a.Recurrence != nil {
		recurrence = text(*a.Recurrence)
	}
	fmt.Fprintf(w, "mistake recurrence T_MR %s, at least %s with a confidence of 95 %%\n", recurrence, text(a.AtLeast))
	if a.Mistakes > 0 {
		fmt.Fprintf(w, "mistake duration T_M    %s on average, %s at most\n", text(a.Duration.Mean), text(a.Duration.Max))
		fmt.Fprintf(w, "mistakes by fate        %s\n", r.mistaken())
	}
	fmt.Fprintf(w, "query accuracy P_A      %.6f\n", a.Query)
	fmt.Fprintf(w, "source not readable     %d times, %s\n", r.Outages.Count, text(r.Outages.Seconds))
	if r.FailedJoins > 0 {
		fmt.Fprintf(w, "attempts to return that failed  %d\n", r.FailedJoins)
	}
	fmt.Fprintf(w, "longest poll            %s; timers here were up to %s late\n", text(r.Polls.Longest), text(r.Lateness))
}

// mistaken says how many mistakes were about members of which fate.
func (r *Report) mistaken() string {
	counts := map[fate]int{}
	for _, m := range r.Mistakes {
		counts[m.Fate]++
	}
	var parts []string
	for _, f := range fateOrder() {
		if counts[f] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[f], f))
		}
	}
	return strings.Join(parts, ", ")
}

func (r *Report) writeLoad(out io.Writer) error {
	l := r.Steady
	if l == nil {
		return nil
	}
	fmt.Fprintf(out, "\nWhat %d living members cost each second, over %s:\n\n", r.Members, text(l.Seconds))
	if l.Observer.Sends == 0 {
		fmt.Fprintf(out, "an embedded store has no connections; looking at it took %.1f queries\n", l.PerSecond(l.Requests))
		fmt.Fprintf(out, "this process, members and all  %.1f %% of a core\n", 100*l.OwnCPU/l.Seconds)
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\trequests\tbytes sent\tbytes received\tconnections made\t")
	for _, t := range []struct {
		who string
		Traffic
	}{{"members", l.Members}, {"this exporter", l.Observer}} {
		fmt.Fprintf(w, "%s\t%.1f\t%.0f\t%.0f\t%.1f\t\n", t.who, l.PerSecond(t.Sends), l.PerSecond(t.BytesOut), l.PerSecond(t.BytesIn), l.PerSecond(t.Connections))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	cpu := "not measured: the servers were not found on this machine"
	if l.BackendCPU != nil {
		cpu = fmt.Sprintf("%.1f %% of a core", 100**l.BackendCPU/l.Seconds)
	}
	fmt.Fprintf(out, "\nprocessor time of the servers  %s\nof this process, members and all  %.1f %% of a core\n", cpu, 100*l.OwnCPU/l.Seconds)
	return nil
}

// PerSecond gives so many a second.
func (l *Load) PerSecond(n uint64) float64 { return float64(n) / l.Seconds }

// text writes seconds with as many digits as can mean something.
func text(seconds float64) string {
	d := time.Duration(math.Round(seconds*1e6)) * time.Microsecond
	switch size := d.Abs(); {
	case size < 10*time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	case size < time.Minute:
		return d.Round(time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
