package collector

import (
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"servicegroup_exporter/drivers"
)

// A view is what a scrape shows of a source. It never changes; a poll puts another in its place.
type view struct {
	readable bool
	samples  []*sample // of the source and its groups
	members  []*memberSeries
	agents   *agentMetric // of openstack-exporter's; nil: it does not show the members
}

// publish puts what is now known where scrapes find it. The caller holds the lock.
func (s *source) publish() {
	v := &view{readable: s.now.Readable, samples: s.renderSource(), agents: s.agentMetric()}
	if v.readable {
		v.samples = append(v.samples, s.renderGroups()...)
	}
	v.members = make([]*memberSeries, len(s.tracker.order))
	for i, rec := range s.tracker.order {
		v.members[i] = s.renderMember(rec)
	}
	s.view.Store(v)
	s.members = nil
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
		gauge(d.unknown, float64(s.tracker.unknown))
		if now.HasClock {
			gauge(d.clockOffset, now.ClockOffset.Seconds())
		}
		if !s.tracker.newest.IsZero() {
			gauge(d.newest, timestamp(s.tracker.newest))
		}
	}
	info := labelPairs("source", s.cfg.Name, "driver", s.cfg.Driver, "schema", s.cfg.Schema, "layout", s.cfg.Layout,
		"backend", now.Backend)
	samples = append(samples, &sample{desc: d.sourceInfo, labels: info, value: 1})
	return append(samples, s.renderCounts(labels)...)
}

// renderCounts shows what the driver counts, if it does, as of the last poll that ended.
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

// renderGroups numbers the members of each group. Of a group in doubt it shows only how many are unknown: numbers that
// leave out those who may be well would look like an outage of the group.
func (s *source) renderGroups() []*sample {
	var samples []*sample
	for _, name := range slices.Sorted(maps.Keys(s.tracker.groups)) {
		count := func(state string, members int) {
			samples = append(samples, &sample{
				desc:   s.env.descs.members,
				labels: labelPairs("source", s.cfg.Name, "group", name, "state", state),
				value:  float64(members),
			})
		}
		switch g := s.tracker.groups[name]; {
		case g.size() == 0:
		case g.inDoubt:
			count("unknown", g.unknown)
		default:
			count("down", g.down)
			count("up", g.up)
		}
	}
	return samples
}
