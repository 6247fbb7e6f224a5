package drill

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// scenarioOrder returns the scenarios in the order in which they are shown.
func scenarioOrder() []scenario {
	return []scenario{all, scenarioKill, scenarioPartition, scenarioFlap, scenarioPause, scenarioLive}
}

// WriteText writes the report as text for people.
func (r *Report) WriteText(out io.Writer) error {
	backend := r.Driver
	if r.Backend != "" {
		backend += ", " + r.Backend
	}
	if r.EndedEarly != "" {
		fmt.Fprintf(out, "The drill ended early, after %d of %d members had joined. This was measured until then.\n", r.Joining.Joined, r.Members)
	}
	fmt.Fprintf(out, "%d members on source %s (%s): %s\n", r.Joining.Joined, r.Source, backend, cmp.Or(counts(r.Scenarios), "no scenario has begun"))
	fmt.Fprintf(out, "heartbeat timeout %s, polls every %s, scenarios ran for %s\n\n", text(r.DownTime), text(r.PollInterval), text(r.Duration))
	fmt.Fprintf(out, rowFormat, "", "n", "min", "p50", "p99", "max")
	for _, s := range scenarioOrder() {
		row(out, "death to seen down (T_D), "+string(s), r.Detection[s])
	}
	row(out, "detection latency as reported", r.Reported)
	row(out, "reported minus true", r.ReportError)
	for _, s := range scenarioOrder() {
		row(out, "return to seen up, "+string(s), r.Recovery[s])
	}
	row(out, "join", r.Joining.Latency)
	r.writeAccuracy(out)
	return r.writeLoad(out)
}

// counts returns the scenarios that have a count, as "3 kill, 7 live".
func counts(byScenario map[scenario]int) string {
	var parts []string
	for _, s := range scenarioOrder() {
		if n := byScenario[s]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	return strings.Join(parts, ", ")
}

// rowFormat is the layout of the table of distributions: a name and five numbers.
const rowFormat = "%-36s %6s %9s %9s %9s %9s\n"

// row writes one distribution. It writes nothing if there are no values.
func row(w io.Writer, name string, s Summary) {
	if s.Count == 0 {
		return
	}
	fmt.Fprintf(w, rowFormat, name, strconv.Itoa(s.Count), text(s.Min), text(s.P50), text(s.P99), text(s.Max))
}

func (r *Report) writeAccuracy(w io.Writer) {
	a := &r.Accuracy
	fmt.Fprintf(w, "\ndeaths not detected     %d (%d more ended before they had to be detected)\n", r.Undetected, r.Unmeasured)
	fmt.Fprintf(w, "mistakes                %d in %s of members' lives\n", a.Mistakes, text(a.LiveSeconds))
	recurrence := "none seen"
	if a.Recurrence != nil {
		recurrence = text(*a.Recurrence)
	}
	fmt.Fprintf(w, "mistake recurrence T_MR %s, at least %s with a confidence of 95 %%\n", recurrence, text(a.AtLeast))
	if a.Mistakes > 0 {
		byScenario := map[scenario]int{}
		for _, m := range r.Mistakes {
			byScenario[m.Scenario]++
		}
		fmt.Fprintf(w, "mistake duration T_M    %s on average, %s at most\n", text(a.Duration.Mean), text(a.Duration.Max))
		fmt.Fprintf(w, "mistakes by scenario    %s\n", counts(byScenario))
	}
	fmt.Fprintf(w, "query accuracy P_A      %.6f\n", a.Query)
	fmt.Fprintf(w, "source unreadable       %d times, %s\n", r.Outages.Count, text(r.Outages.Seconds))
	if r.FailedJoins > 0 {
		fmt.Fprintf(w, "failed attempts to return  %d\n", r.FailedJoins)
	}
	fmt.Fprintf(w, "longest poll            %s; timers of this process were up to %s late\n", text(r.Polls.Longest), text(r.TimerLag))
}

func (r *Report) writeLoad(out io.Writer) error {
	l := r.Baseline
	if l == nil {
		return nil
	}
	fmt.Fprintf(out, "\nCost of %d live members per second, measured for %s:\n\n", r.Members, text(l.Seconds))
	if l.Observer.Sends == 0 {
		fmt.Fprintf(out, "an embedded store has no connections; polling it took %.1f queries\n", l.PerSecond(l.Requests))
		fmt.Fprintf(out, "CPU of this process, with all members  %.1f %% of a core\n", 100*l.OwnCPU/l.Seconds)
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\trequests\tbytes sent\tbytes received\tconnections made\t")
	for _, t := range []struct {
		name string
		Traffic
	}{{"members", l.Members}, {"this exporter", l.Observer}} {
		fmt.Fprintf(w, "%s\t%.1f\t%.0f\t%.0f\t%.1f\t\n", t.name, l.PerSecond(t.Sends), l.PerSecond(t.BytesOut), l.PerSecond(t.BytesIn), l.PerSecond(t.Connections))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	cpu := "not measured: the servers do not run on this machine"
	if l.BackendCPU != nil {
		cpu = fmt.Sprintf("%.1f %% of a core", 100**l.BackendCPU/l.Seconds)
	}
	fmt.Fprintf(out, "\nCPU of the servers                     %s\n", cpu)
	fmt.Fprintf(out, "CPU of this process, with all members  %.1f %% of a core\n", 100*l.OwnCPU/l.Seconds)
	return nil
}

// PerSecond returns n divided by the seconds of the period.
func (l *Load) PerSecond(n uint64) float64 { return float64(n) / l.Seconds }

// text formats seconds with as many digits as are meaningful.
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
