package drill

import (
	"math"
	"slices"
	"time"
)

// A Report is the result of a drill. Durations are in seconds. Fields named At are in seconds since the drill started.
type Report struct {
	Source  string    `json:"source"`
	Driver  string    `json:"driver"`
	Backend string    `json:"backend"` // the server and its version, if known
	Group   string    `json:"group"`
	Started time.Time `json:"started"`

	DownTime     float64 `json:"heartbeat_timeout_seconds"`
	PollInterval float64 `json:"poll_interval_seconds"`
	Duration     float64 `json:"duration_seconds"` // of the scenarios

	// EndedEarly is why the drill ended before it was complete. What it has was measured until then.
	EndedEarly string `json:"ended_early,omitempty"`

	Members   int              `json:"members"`
	Scenarios map[scenario]int `json:"scenarios"` // number of members in each
	Joining   Joining          `json:"joining"`
	Baseline  *Load            `json:"baseline,omitempty"` // cost of live members, before the scenarios

	// Detection is the time from a death to the poll that saw it, by scenario, and of all deaths under "all".
	Detection map[scenario]Summary `json:"detection_seconds"`
	// Reported is the detection latency that this program reports for the same deaths, from the last proof of life that the
	// backend has. ReportError is how much longer that is than Detection.
	Reported    Summary `json:"reported_seconds"`
	ReportError Summary `json:"report_error_seconds"`
	// Recovery is the time from a return to the poll that saw it.
	Recovery   map[scenario]Summary `json:"recovery_seconds"`
	Undetected int                  `json:"undetected"` // deaths that were not detected, although they lasted long enough
	Unmeasured int                  `json:"unmeasured"` // deaths that ended before they had to be detected
	// FailedJoins is the number of failed attempts to return.
	FailedJoins int      `json:"failed_joins"`
	Accuracy    Accuracy `json:"accuracy"`
	Outages     Outages  `json:"outages"`

	// TimerLag is how late timers of this process fired at most. All times are uncertain by as much. On a machine that is
	// too busy, this process itself causes mistakes that the backend does not.
	TimerLag float64 `json:"timer_lag_seconds"`
	Polls    Polls   `json:"polls"`

	Deaths   []Death   `json:"deaths"`
	Mistakes []Mistake `json:"mistakes"`
	Timeline []Point   `json:"timeline"`
}

// all is the key of the summary of all scenarios.
const all scenario = "all"

// Joining is how long it took all members to join.
type Joining struct {
	Joined  int     `json:"joined"`  // number of members
	Seconds float64 `json:"seconds"` // from the first join to the last
	Latency Summary `json:"latency_seconds"`
	Seen    float64 `json:"seen_seconds"` // from the first join until polls saw all members up
}

// Accuracy contains the measures of Chen, Toueg and Aguilera that concern live members.
type Accuracy struct {
	LiveSeconds float64 `json:"live_seconds"` // sum over all members
	Mistakes    int     `json:"mistakes"`
	// Recurrence is the mean life time of a member between two mistakes about it (T_MR), nil without a mistake. AtLeast is
	// its lower bound with a confidence of 95 %.
	Recurrence *float64 `json:"mistake_recurrence_seconds"`
	AtLeast    float64  `json:"mistake_recurrence_at_least_seconds"`
	// Duration is how long mistakes lasted (T_M).
	Duration Summary `json:"mistake_duration_seconds"`
	// Query is the probability that a query about a live member at a random time returns "up" (P_A).
	Query float64 `json:"query_accuracy"`
}

// Outages are the periods in which the source could not be read. During them, no member is reported dead or alive.
type Outages struct {
	Count   int     `json:"count"`
	Seconds float64 `json:"seconds"`
}

// Polls is how long polls took.
type Polls struct {
	Longest float64 `json:"longest_seconds"`
}

// A Death is the death of a member, and whether and when it was detected.
type Death struct {
	Member   string   `json:"member"`
	Scenario scenario `json:"scenario"`
	At       float64  `json:"at"`
	// Detection, Reported and Recovery are nil if polls did not see the death or the return.
	Detection *float64 `json:"detection_seconds"`
	Reported  *float64 `json:"reported_seconds"`
	Recovery  *float64 `json:"recovery_seconds"`
}

// A Mistake is a live member that was reported dead.
type Mistake struct {
	Member   string   `json:"member"`
	Scenario scenario `json:"scenario"`
	At       float64  `json:"at"`
	Duration float64  `json:"duration_seconds"`
}

// A Point is how many members were alive, and how many were seen up, from a time on.
type Point struct {
	At    float64 `json:"at"`
	Alive int     `json:"alive"`
	Up    int     `json:"up"`
}

// A Summary is the distribution of a set of durations, in seconds.
type Summary struct {
	Count int     `json:"count"`
	Min   float64 `json:"min"`
	Mean  float64 `json:"mean"`
	P50   float64 `json:"p50"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
}

// summarize returns the distribution of values. Percentiles are values of the set (nearest rank).
func summarize(values []float64) Summary {
	if len(values) == 0 {
		return Summary{}
	}
	sorted := slices.Sorted(slices.Values(values))
	at := func(p float64) float64 { return sorted[max(int(math.Ceil(p*float64(len(sorted)))), 1)-1] }
	sum := 0.0
	for _, v := range sorted {
		sum += v
	}
	return Summary{
		Count: len(sorted), Min: sorted[0], Mean: sum / float64(len(sorted)),
		P50: at(0.5), P99: at(0.99), Max: sorted[len(sorted)-1],
	}
}

// byScenario summarizes the values of each scenario, and of all together.
func byScenario(values map[scenario][]float64) map[scenario]Summary {
	sums := map[scenario]Summary{}
	var every []float64
	for s, v := range values {
		sums[s] = summarize(v)
		every = append(every, v...)
	}
	sums[all] = summarize(every)
	return sums
}

// score fills the report with the results of a comparison.
func (r *Report) score(c *comparison) {
	detection, recovery := map[scenario][]float64{}, map[scenario][]float64{}
	var reported, reportErrors []float64
	for i := range c.deaths {
		d := &c.deaths[i]
		row := Death{Member: d.member, Scenario: d.scenario, At: r.since(d.at)}
		if d.detected.IsZero() {
			r.Undetected++
		} else {
			took := d.detected.Sub(d.at).Seconds()
			detection[d.scenario], row.Detection = append(detection[d.scenario], took), &took
			if d.hasReported {
				latency := d.reported.Seconds()
				reported, reportErrors, row.Reported = append(reported, latency), append(reportErrors, latency-took), &latency
			}
		}
		if !d.seenUp.IsZero() {
			// A poll may see the member up just before its own join returns.
			took := max(d.seenUp.Sub(d.returned), 0).Seconds()
			recovery[d.scenario], row.Recovery = append(recovery[d.scenario], took), &took
		}
		r.Deaths = append(r.Deaths, row)
	}
	r.Detection, r.Recovery = byScenario(detection), byScenario(recovery)
	r.Reported, r.ReportError = summarize(reported), summarize(reportErrors)
	r.Unmeasured = c.unmeasured
	r.scoreAccuracy(c)
	r.Polls.Longest = c.seen.longest.Seconds()
	for _, o := range c.seen.outages {
		to := o.to
		if to.IsZero() {
			to = c.end
		}
		r.Outages.Count++
		r.Outages.Seconds += max(to.Sub(o.from), 0).Seconds()
	}
}

func (r *Report) scoreAccuracy(c *comparison) {
	a := &r.Accuracy
	a.LiveSeconds, a.Mistakes = c.liveTime.Seconds(), len(c.mistakes)
	var durations []float64
	for _, m := range c.mistakes {
		durations = append(durations, m.duration.Seconds())
		r.Mistakes = append(r.Mistakes, Mistake{m.member, m.scenario, r.since(m.at), m.duration.Seconds()})
	}
	a.Duration = summarize(durations)
	if a.Mistakes > 0 {
		a.Recurrence = new(a.LiveSeconds / float64(a.Mistakes))
	}
	a.AtLeast = a.LiveSeconds / poissonUpperBound(a.Mistakes)
	a.Query = 1
	if c.liveTime > 0 {
		a.Query = 1 - c.mistakeTime().Seconds()/a.LiveSeconds
	}
}

// poissonUpperBound returns the exact upper bound, with a confidence of 95 %, of the expected number of random events when n
// were observed. For n = 0 it is 3.
func poissonUpperBound(n int) float64 {
	low, high := float64(n), float64(n)+10+4*math.Sqrt(float64(n)+1)
	for range 60 {
		middle := (low + high) / 2
		if probabilityAtMost(n, middle) > 0.05 {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}

// probabilityAtMost returns the probability of at most n events when mean are expected.
func probabilityAtMost(n int, mean float64) float64 {
	sum := 0.0
	for k := range n + 1 {
		gamma, _ := math.Lgamma(float64(k) + 1)
		sum += math.Exp(float64(k)*math.Log(mean) - mean - gamma)
	}
	return sum
}

// since returns the seconds from the start of the drill to t.
func (r *Report) since(t time.Time) float64 { return t.Sub(r.Started).Seconds() }
