package main

import (
	"math"
	"slices"
	"time"
)

// A poll is what one read of the table found.
type poll struct {
	at     time.Duration
	failed bool  // it could not be read, and there are no rows
	rows   []row // by member
}

// A detector decides which members it suspects to be dead.
type detector interface {
	// observe takes in a poll and sets whether each member is suspected. It returns when it wants to poll next, beside the
	// regular polls; zero: it does not.
	observe(p *poll, suspected []bool) time.Duration
}

// A contender is a detector with its name, as reports show it.
type contender struct {
	name  string
	short string // in the legend of a plot; empty: it is not plotted
	make  func(members []member) detector
}

// noGuard is the name of this program's rule without its guard.
const noGuard = "i × 1.5 + 10 s, no guard"

// downTime is Nova's service_down_time.
const downTime = 60 * time.Second

// isDown is Nova's own rule.
func (r row) isDown(now, timeout time.Duration) bool { return r.beat == never || now-r.beat > timeout }

// contenders returns the detectors that this program's is compared with. i is the learned interval.
func contenders() []contender {
	const (
		window = 16
		alpha  = 15 * time.Second
		phi    = 8
	)
	return []contender{
		{"Nova's rule, 60 s", "Nova's rule", func([]member) detector { return novaRule{} }},
		{"fixed 2.5 × i", "fixed 2.5 × i", func(m []member) detector { return newLimit(m, 2.5, 0) }},
		{noGuard, "", func(m []member) detector { return newLimit(m, 1.5, 10*time.Second) }},
		{"NFD-E, window 16, α 15 s", "NFD-E", func(m []member) detector { return newNFDE(m, window, alpha) }},
		{"phi accrual 8, std ≥ 0.5 s", "phi, ≥ 0.5 s", func(m []member) detector { return newAccrual(m, phi, 500*time.Millisecond) }},
		{"phi accrual 8, std ≥ 2 s", "phi, ≥ 2 s", func(m []member) detector { return newAccrual(m, phi, 2*time.Second) }},
	}
}

// contenderNamed returns the contender with a name.
func contenderNamed(name string) contender {
	all := contenders()
	return all[slices.IndexFunc(all, func(c contender) bool { return c.name == name })]
}

// novaRule suspects the members that are down by Nova's own rule.
type novaRule struct{}

func (novaRule) observe(p *poll, suspected []bool) time.Duration {
	for i, r := range p.rows {
		suspected[i] = r.isDown(p.at, downTime)
	}
	return 0
}

// A history keeps the newest heartbeats of a member.
type history struct {
	row
	gaps []time.Duration // between its heartbeats, the newest last
	most int             // gaps to keep

	measured                bool // the times below are of these gaps
	median, mean, deviation time.Duration
}

// note takes in a row. Several heartbeats between two polls count as equally far apart. The gap of a member that was down teaches
// nothing.
func (h *history) note(r row) {
	if r.beat == never || r.count == h.count {
		return
	}
	n := r.count - h.count
	if h.count > 0 && r.count > h.count && r.beat-h.beat <= downTime {
		gap := (r.beat - h.beat) / time.Duration(n)
		for range min(n, uint64(h.most)) {
			h.gaps = append(h.gaps, gap)
		}
		h.gaps = h.gaps[max(len(h.gaps)-h.most, 0):]
		h.measured = false
	}
	h.row = r
}

// interval returns the median of the gaps.
func (h *history) interval() time.Duration {
	if !h.measured {
		h.median, h.measured = median(h.gaps), true
	}
	return h.median
}

// distribution returns the mean and the standard deviation of the gaps.
func (h *history) distribution() (mean, deviation time.Duration) {
	if !h.measured {
		h.measure()
		h.measured = true
	}
	return h.mean, h.deviation
}

func (h *history) measure() {
	var sum, squares float64
	for _, g := range h.gaps {
		sum += g.Seconds()
		squares += g.Seconds() * g.Seconds()
	}
	mean := sum / float64(len(h.gaps))
	h.mean = time.Duration(mean * float64(time.Second))
	h.deviation = time.Duration(math.Sqrt(max(squares/float64(len(h.gaps))-mean*mean, 0)) * float64(time.Second))
}

// A limit suspects a member whose heartbeat is older than a multiple of its interval and a margin. The interval is the median of
// the last 16 gaps.
type limit struct {
	times     float64
	margin    time.Duration
	histories []history
}

// The least number of gaps that show an interval, and how many are kept.
const (
	leastGaps = 3
	keptGaps  = 16
)

func newLimit(members []member, times float64, margin time.Duration) *limit {
	l := &limit{times: times, margin: margin, histories: make([]history, len(members))}
	for i := range l.histories {
		l.histories[i].most = keptGaps
	}
	return l
}

func (l *limit) observe(p *poll, suspected []bool) time.Duration {
	for i, r := range p.rows {
		h := &l.histories[i]
		h.note(r)
		most := time.Duration(l.times*float64(h.interval())) + l.margin
		suspected[i] = len(h.gaps) >= leastGaps && p.at-r.beat > most
	}
	return 0
}

// An nfde is the failure detector NFD-E of W. Chen, S. Toueg and M. K. Aguilera, "On the Quality of Service of Failure
// Detectors", IEEE Transactions on Computers 51(5), 2002, section 6.3. It expects the next heartbeat at the mean of the last
// arrivals, moved forward by whole intervals, and suspects the member if it has not come after a further α. The counter of
// heartbeats is the sequence number.
type nfde struct {
	members  []member
	window   int
	alpha    time.Duration
	arrivals [][]row
}

func newNFDE(members []member, window int, alpha time.Duration) *nfde {
	return &nfde{members: members, window: window, alpha: alpha, arrivals: make([][]row, len(members))}
}

func (d *nfde) observe(p *poll, suspected []bool) time.Duration {
	for i, r := range p.rows {
		all := d.arrivals[i]
		if r.beat != never && (len(all) == 0 || r.count != all[len(all)-1].count) {
			if len(all) > 0 && r.beat-all[len(all)-1].beat > downTime {
				all = nil // It was down, and began again.
			}
			all = append(all, r)
			d.arrivals[i] = all[max(len(all)-d.window, 0):]
		}
		suspected[i] = len(d.arrivals[i]) > leastGaps && p.at > d.expected(i)+d.alpha
	}
	return 0
}

// expected returns when the next heartbeat is expected.
func (d *nfde) expected(i int) time.Duration {
	all := d.arrivals[i]
	next := all[len(all)-1].count + 1
	var sum time.Duration
	for _, r := range all {
		sum += r.beat + time.Duration(next-r.count)*d.members[i].interval
	}
	return sum / time.Duration(len(all))
}

// An accrual is the φ accrual failure detector of N. Hayashibara, X. Défago, R. Yared and T. Katayama, SRDS 2004: φ is the negative
// decimal logarithm of the probability that a heartbeat comes still later, if the gaps are distributed normally.
type accrual struct {
	threshold float64
	least     time.Duration // of the standard deviation
	histories []history
}

// accrualWindow is the number of gaps that the paper's experiments keep.
const accrualWindow = 100

func newAccrual(members []member, threshold float64, least time.Duration) *accrual {
	a := &accrual{threshold: threshold, least: least, histories: make([]history, len(members))}
	for i := range a.histories {
		a.histories[i].most = accrualWindow
	}
	return a
}

func (a *accrual) observe(p *poll, suspected []bool) time.Duration {
	for i, r := range p.rows {
		h := &a.histories[i]
		h.note(r)
		mean, deviation := h.distribution()
		silent := p.at - r.beat - mean
		phi := -math.Log10(math.Erfc(silent.Seconds()/max(deviation, a.least).Seconds()/math.Sqrt2) / 2)
		suspected[i] = len(h.gaps) >= leastGaps && phi > a.threshold
	}
	return 0
}
