package bridge

import (
	"fmt"
	"testing"
	"time"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/collector"
	"servicegroup_exporter/config"
)

// crowd gives a source with that many members in groups of a thousand, of which some are down.
func crowd(members, down int) []collector.Snapshot {
	s := collector.Snapshot{Source: "nova", Readable: true, Members: make([]collector.MemberState, members)}
	for i := range s.Members {
		m := &s.Members[i]
		m.Group, m.Name = fmt.Sprintf("group%03d", i/1000), fmt.Sprintf("compute-%06d", i)
		m.State, m.Since = collector.Up, began
		if i < down {
			m.State = collector.Down
		}
	}
	return []collector.Snapshot{s}
}

func eachCrowd(b *testing.B, run func(b *testing.B, snapshots []collector.Snapshot)) {
	for _, members := range []int{10_000, 100_000} {
		for name, down := range map[string]int{"none": 0, "1%": members / 100, "all": members} {
			b.Run(fmt.Sprintf("members=%d/down=%s", members, name), func(b *testing.B) {
				b.ReportAllocs()
				run(b, crowd(members, down))
			})
		}
	}
}

// BenchmarkSurvey is what each look at the collector costs, when nothing changes and nothing is due.
func BenchmarkSurvey(b *testing.B) {
	eachCrowd(b, func(b *testing.B, snapshots []collector.Snapshot) {
		c := config.DefaultAlerting()
		s, builder, l := newSchedule(&c), alerts.NewBuilder(&c), newLedger(nil)
		now := began.Add(time.Hour)
		for b.Loop() {
			l.update(newSurvey(snapshots, builder, never), now)
			l.due(s, builder, nil, now)
		}
	})
}

// BenchmarkSurveyDue is the same when everything that fires is posted again.
func BenchmarkSurveyDue(b *testing.B) {
	eachCrowd(b, func(b *testing.B, snapshots []collector.Snapshot) {
		c := config.DefaultAlerting()
		s, builder, l := newSchedule(&c), alerts.NewBuilder(&c), newLedger(nil)
		now := began.Add(time.Hour)
		for b.Loop() {
			now = now.Add(s.resend)
			l.update(newSurvey(snapshots, builder, never), now)
			l.due(s, builder, nil, now)
		}
	})
}
