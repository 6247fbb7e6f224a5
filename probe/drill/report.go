package drill

import (
	"math"
	"slices"
	"time"
)

// A Report is what came of a drill. Times are in seconds; those on the way are counted from its start.
type Report struct {
	Source  string    `json:"source"`
	Driver  string    `json:"driver"`
	Backend string    `json:"backend"` // the server and its version, where it says so
	Group   string    `json:"group"`
	Started time.Time `json:"started"`

	DownTime     float64 `json:"down_time_seconds"`
	PollInterval float64 `json:"poll_interval_seconds"`
	Duration     float64 `json:"duration_seconds"` // in which things happened

	Members int          `json:"members"`
	Fates   map[fate]int `json:"fates"`
	Joining Joining      `json:"joining"`
	Steady  *Load        `json:"steady,omitempty"` // while nothing happened but life

	// Detection is from a death to the poll that saw it, by fate, and of all under "all".
	Detection map[fate]Summary `json:"detection_seconds"`
	// Reported is what this program itself reports of the same deaths, from the last proof of life that the backend knows,
	// and ReportError how much that is more than the truth.
	Reported    Summary `json:"reported_seconds"`
	ReportError Summary `json:"report_error_seconds"`
	// Recovery is from a return to the poll that saw it.
	Recovery   map[fate]Summary `json:"recovery_seconds"`
	Undetected int              `json:"undetected"` // deaths that nobody noticed in good time
	Unmeasured int              `json:"unmeasured"` // deaths that were over before anybody had to notice
	// FailedJoins counts attempts to return that the backend did not let succeed.
	FailedJoins int      `json:"failed_joins"`
	Accuracy    Accuracy `json:"accuracy"`
	Outages     Outages  `json:"outages"`

	// Lateness is by how much timers of this very process were late, at most: all numbers are that uncertain, and a
	// machine that is too busy makes mistakes that are not the backend's.
	Lateness float64 `json:"lateness_seconds"`
	Polls    Polls   `json:"polls"`

	Deaths   []Death   `json:"deaths"`
	Mistakes []Mistake `json:"mistakes"`
	Timeline []Point   `json:"timeline"`
}

// all is the key of summaries of every fate.
const all fate = "all"

// Joining is how the members came.
type Joining struct {
	Seconds float64 `json:"seconds"` // from the first to the last
	Latency Summary `json:"latency_seconds"`
	Seen    float64 `json:"seen_seconds"` // until the last one was seen up
}

// Accuracy has the measures of Chen, Toueg and Aguilera that are about the living.
type Accuracy struct {
	LiveSeconds float64 `json:"live_seconds"` // of all members together
	Mistakes    int     `json:"mistakes"`
	// Recurrence is the mean time of a member's life between two mistakes about it (T_MR), nil without a mistake.
	// AtLeast is the least that it can be with a confidence of 95 %.
	Recurrence *float64 `json:"mistake_recurrence_seconds"`
	AtLeast    float64  `json:"mistake_recurrence_at_least_seconds"`
	// Duration is how long mistakes lasted (T_M).
	Duration Summary `json:"mistake_duration_seconds"`
	// Query is the probability that whoever asks about a live member at any moment is told that it is up (P_A).
	Query float64 `json:"query_accuracy"`
}

// Outages are the times in which the source could not be read: nobody is called dead then, nor alive.
type Outages struct {
	Count   int     `json:"count"`
	Seconds float64 `json:"seconds"`
}

// Polls are what looking cost.
type Polls struct {
	Longest float64 `json:"longest_seconds"`
}

// A Death is one, and what came of it.
type Death struct {
	Member string  `json:"member"`
	Fate   fate    `json:"fate"`
	At     float64 `json:"at"`
	// Detection, Reported and Recovery are nil where nothing was seen.
	Detection *float64 `json:"detection_seconds"`
	Reported  *float64 `json:"reported_seconds"`
	Recovery  *float64 `json:"recovery_seconds"`
}

// A Mistake is a live member that was called dead.
type Mistake struct {
	Member   string  `json:"member"`
	Fate     fate    `json:"fate"`
	At       float64 `json:"at"`
	Duration float64 `json:"duration_seconds"`
}

// A Point is how many members lived, and how many were seen to, from a moment on.
type Point struct {
	At    float64 `json:"at"`
	Alive int     `json:"alive"`
	Up    int     `json:"up"`
}

// A Summary is a distribution of times.
type Summary struct {
	Count int     `json:"count"`
	Min   float64 `json:"min"`
	Mean  float64 `json:"mean"`
	P50   float64 `json:"p50"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
}

// summarize sums up values. A percentile is the least value that so many are not above.
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

// byFate sums up the values of each fate, and all of them.
func byFate(values map[fate][]float64) map[fate]Summary {
	sums := map[fate]Summary{}
	var every []float64
	for f, v := range values {
		sums[f] = summarize(v)
		every = append(every, v...)
	}
	sums[all] = summarize(every)
	return sums
}

// score fills in everything that the judge found.
func (r *Report) score(j *judge) {
	detection, recovery := map[fate][]float64{}, map[fate][]float64{}
	var reported, wrong []float64
	for i := range j.deaths {
		d := &j.deaths[i]
		row := Death{Member: d.member, Fate: d.fate, At: r.since(d.at)}
		if d.seen.IsZero() {
			r.Undetected++
		} else {
			took := d.seen.Sub(d.at).Seconds()
			detection[d.fate], row.Detection = append(detection[d.fate], took), &took
			if d.hasReported {
				says := d.reported.Seconds()
				reported, wrong, row.Reported = append(reported, says), append(wrong, says-took), &says
			}
		}
		if !d.back.IsZero() {
			// It may be seen in the moment before whoever joined knows that it is there.
			took := max(d.back.Sub(d.returned), 0).Seconds()
			recovery[d.fate], row.Recovery = append(recovery[d.fate], took), &took
		}
		r.Deaths = append(r.Deaths, row)
	}
	r.Detection, r.Recovery = byFate(detection), byFate(recovery)
	r.Reported, r.ReportError = summarize(reported), summarize(wrong)
	r.Unmeasured = j.unmeasured
	r.scoreAccuracy(j)
	r.Polls.Longest = j.seen.longest.Seconds()
	for _, o := range j.seen.outages {
		to := o.to
		if to.IsZero() {
			to = j.end
		}
		r.Outages.Count++
		r.Outages.Seconds += max(to.Sub(o.from), 0).Seconds()
	}
}

func (r *Report) scoreAccuracy(j *judge) {
	a := &r.Accuracy
	a.LiveSeconds, a.Mistakes = j.trusted.Seconds(), len(j.mistakes)
	var durations []float64
	for _, m := range j.mistakes {
		durations = append(durations, m.duration.Seconds())
		r.Mistakes = append(r.Mistakes, Mistake{m.member, m.fate, r.since(m.at), m.duration.Seconds()})
	}
	a.Duration = summarize(durations)
	if a.Mistakes > 0 {
		a.Recurrence = new(a.LiveSeconds / float64(a.Mistakes))
	}
	a.AtLeast = a.LiveSeconds / mostEvents(a.Mistakes)
	a.Query = 1
	if j.trusted > 0 {
		a.Query = 1 - j.wrong().Seconds()/a.LiveSeconds
	}
}

// mostEvents is the most events that may be expected where n were seen, with a confidence of 95 %, if they come at random:
// Poisson's exact upper bound. Without any it is 3.
func mostEvents(n int) float64 {
	low, high := float64(n), float64(n)+10+4*math.Sqrt(float64(n)+1)
	for range 60 {
		middle := (low + high) / 2
		if atMost(n, middle) > 0.05 {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}

// atMost is the probability of at most n events where mean are expected.
func atMost(n int, mean float64) float64 {
	sum := 0.0
	for k := range n + 1 {
		gamma, _ := math.Lgamma(float64(k) + 1)
		sum += math.Exp(float64(k)*math.Log(mean) - mean - gamma)
	}
	return sum
}

// since gives the seconds from the start to a moment.
func (r *Report) since(t time.Time) float64 { return t.Sub(r.Started).Seconds() }
