package collector

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"servicegroup_exporter/collector/hosts"
	"servicegroup_exporter/collector/tracker"
	"servicegroup_exporter/drivers"
)

// A rendered is what a scrape shows of one source. It never changes: after each poll, another one takes its place.
type rendered struct {
	samples  []*sample // of the source itself
	groups   []groupSeries
	down     []downSeries
	suspects []downSeries
	members  []*memberSeries
	rare     []*memberSeries // the members that have rare series
	hosts    []hosts.Member  // the same slice as before, as long as no element changes
	zones    []zoneSeries
	readable bool
}

// publish renders what is known now for scrapes. The caller holds the lock.
func (s *source) publish() {
	s.publishAfter(s.shown.Load())
}

// publishAfter is like publish, and reuses what has not changed.
func (s *source) publishAfter(before *rendered) {
	now := s.env.clock()
	s.tracker.Expire(now)
	next := &rendered{
		samples: s.renderSource(), groups: s.renderGroups(before.groups),
		down:     s.renderDecisions(s.tracker.Decisions(), before.down),
		suspects: s.renderDecisions(s.tracker.Suspicions(), before.suspects),
		readable: s.now.Readable,
	}
	next.members, next.rare = s.renderMembers(before.members, now)
	next.hosts = s.hostMembers(next.members, before.hosts)
	next.zones = s.renderZones(next.hosts, before)
	s.shown.Store(next)
	s.members = nil
	s.noteAwaited(now)
}

// renderUnknown returns what is known now for scrapes, as if the source could not be read. The caller holds the lock.
func (s *source) renderUnknown() *rendered {
	shown := s.shown.Load()
	defer func(readable bool) { s.now.Readable = readable }(s.now.Readable)
	s.now.Readable = false
	unknown := *shown
	unknown.samples, unknown.groups, unknown.readable = s.renderSource(), s.renderGroups(shown.groups), false
	return &unknown
}

func (s *source) renderSource() []*sample {
	d, now := s.env.descs, &s.now
	labels := labelPairs("source", s.cfg.Name)
	samples := make([]*sample, 0, 15)
	gauge := func(desc *prometheus.Desc, v float64) {
		samples = append(samples, &sample{desc: desc, labels: labels, value: v})
	}
	gauge(d.sourceUp, oneIf(now.Readable))
	gauge(d.lastSuccess, timestamp(now.LastSuccess))
	gauge(d.pollDuration, now.PollDuration.Seconds())
	if now.DownTime > 0 {
		gauge(d.downTime, now.DownTime.Seconds())
	}
	if now.Readable {
		gauge(d.unknown, float64(s.tracker.Unknown()))
		if now.HasClock {
			gauge(d.clockOffset, now.ClockOffset.Seconds())
		}
		if newest := s.tracker.NewestHeartbeat(); !newest.IsZero() {
			gauge(d.newest, timestamp(newest))
		}
	}
	if stalled, ok := s.tracker.Stalled(); ok {
		gauge(d.stalled, oneIf(now.Readable && stalled))
	}
	for _, kind := range drivers.ProblemKinds() {
		has := slices.ContainsFunc(now.Problems, func(p drivers.Problem) bool { return p.Kind == kind })
		labels := labelPairs("problem", string(kind), "source", s.cfg.Name)
		samples = append(samples, &sample{desc: d.problems, labels: labels, value: oneIf(has)})
	}
	info := labelPairs("source", s.cfg.Name, "driver", s.cfg.Driver, "schema", s.cfg.Schema, "layout", s.cfg.Layout,
		"backend", tracker.Shorten(now.Backend, s.textLimit()))
	samples = append(samples, &sample{desc: d.sourceInfo, labels: info, value: 1})
	return append(samples, s.renderCounts(labels)...)
}

// renderCounts returns the driver's counters as of the last poll that ended, if the driver has any.
func (s *source) renderCounts(labels []*dto.LabelPair) []*sample {
	if _, ok := s.driver.(drivers.Counter); !ok {
		return nil
	}
	d, counts := s.env.descs, s.counts
	total := func(desc *prometheus.Desc, n uint64) *sample {
		return &sample{desc: desc, labels: labels, value: float64(n), counter: true}
	}
	return []*sample{
		total(d.operations, counts.Operations),
		total(d.reconnects, counts.Reconnects),
		total(d.expirations, counts.Expirations),
	}
}
