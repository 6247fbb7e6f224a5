package bridge

import (
	"maps"
	"slices"
	"time"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/collector"
)

// wait notes which conditions that must last before their alerts fire have done so.
func (e *exporter) wait() {
	holds := evaluate(e.collector.Snapshots(), e.setup.builder)
	maps.DeleteFunc(e.waiting, func(id alerts.ID, _ time.Time) bool { _, ok := holds[id]; return !ok })
	maps.DeleteFunc(e.lasted, func(id alerts.ID, _ bool) bool {
		_, ok := holds[id]
		return !ok && !e.isUnread(id.Source)
	})
	for id, c := range holds {
		if e.waiting[id].IsZero() {
			e.waiting[id] = time.Now()
		}
		if time.Since(e.waiting[id]) >= c.hold {
			e.lasted[id] = true
		}
	}
}

// isUnread returns whether a source could not be read since the exporter was started.
func (e *exporter) isUnread(source string) bool {
	return slices.ContainsFunc(e.collector.Snapshots(), func(s collector.Snapshot) bool { return s.Source == source && !s.Polled })
}
