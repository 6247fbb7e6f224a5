package collector

import (
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"servicegroup_exporter/drivers"
)

// publish renders what is known now for scrapes. The caller holds the lock.
func (s *source) publish() {
	samples := append(s.renderSource(), s.renderGroups()...)
	series := s.renderMembers()
	s.show.Lock()
	defer s.show.Unlock()
	s.samples, s.series, s.readable = samples, series, s.now.Readable
	s.members = nil
}

// shownSamples returns the series of the source and its groups.
func (s *source) shownSamples() []*sample {
	s.show.Lock()
	defer s.show.Unlock()
	return s.samples
}

// shownSeries returns the series of the source's members, and whether the source can be read.
func (s *source) shownSeries() (series []*memberSeries, readable bool) {
	s.show.Lock()
	defer s.show.Unlock()
	return s.series, s.readable
}

func (s *source) renderSource() []*sample {
	d, now := s.env.descs, &s.now
	labels := labelPairs("source", s.cfg.Name)
	samples := make([]*sample, 0, 11)
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
	info := labelPairs("source", s.cfg.Name, "driver", s.cfg.Driver, "schema", s.cfg.Schema, "layout", s.cfg.Layout,
		"backend", now.Backend)
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

// renderGroups counts the members of each group by state. Each member is in exactly one. While the source can't be read, the
// members in service are unknown.
func (s *source) renderGroups() []*sample {
	var samples []*sample
	for _, g := range s.tracker.Groups() {
		count := func(state string, members int) {
			samples = append(samples, &sample{
				desc:   s.env.descs.members,
				labels: labelPairs("source", s.cfg.Name, "group", g.Name, "state", state),
				value:  float64(members),
			})
		}
		up, down, unknown := g.Up, g.Down, g.Unknown
		if !s.now.Readable {
			up, down, unknown = 0, 0, up+down+unknown
		}
		count("down", down)
		count("out_of_service", g.OutOfService)
		count("unknown", unknown)
		count("up", up)
	}
	return samples
}
