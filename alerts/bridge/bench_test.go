package bridge

import (
	"fmt"
	"testing"
	"time"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/collector"
	"servicegroup_exporter/config"
)

// manyMembers returns the snapshot of a source with groups of 1,000 members, of which some are down.
func manyMembers(members, down int) []collector.Snapshot {
	s := collector.Snapshot{Source: "nova", Readable: true, Polled: true, Members: make([]collector.MemberState, members)}
	for i := range s.Members {
		m := &s.Members[i]
		m.Group, m.Name = fmt.Sprintf("group%03d", i/1000), fmt.Sprintf("compute-%06d", i)
		m.State, m.Since, m.InService = collector.Up, began, true
		if i%1000 == 0 {
			s.Groups = append(s.Groups, collector.GroupState{Name: m.Group, Known: true, LastKnown: began})
		}
		g := &s.Groups[i/1000]
		g.InService++
		if i < down {
			m.State, m.DecidedDown = collector.Down, true
			g.Down++
		}
	}
	return []collector.Snapshot{s}
}

func eachSize(b *testing.B, run func(b *testing.B, snapshots []collector.Snapshot)) {
	for _, members := range []int{10_000, 100_000} {
		for name, down := range map[string]int{"none": 0, "1%": members / 100, "all": members} {
			b.Run(fmt.Sprintf("members=%d/down=%s", members, name), func(b *testing.B) {
				b.ReportAllocs()
				run(b, manyMembers(members, down))
			})
		}
	}
}

// BenchmarkStep measures a step when nothing changes and nothing is due.
func BenchmarkStep(b *testing.B) {
	eachSize(b, func(b *testing.B, snapshots []collector.Snapshot) {
		c := config.DefaultAlerting()
		schedule, builder, s := newSchedule(&c), alerts.NewBuilder(&c), newState(savedState{})
		now := began.Add(time.Hour)
		for b.Loop() {
			s.update(evaluate(snapshots, builder), undecided(snapshots, never), now)
			s.due(schedule, builder, nil, now)
		}
	})
}

// BenchmarkStepDue measures a step when all firing alerts are due.
func BenchmarkStepDue(b *testing.B) {
	eachSize(b, func(b *testing.B, snapshots []collector.Snapshot) {
		c := config.DefaultAlerting()
		schedule, builder, s := newSchedule(&c), alerts.NewBuilder(&c), newState(savedState{})
		now := began.Add(time.Hour)
		for b.Loop() {
			now = now.Add(schedule.resend)
			s.update(evaluate(snapshots, builder), undecided(snapshots, never), now)
			s.due(schedule, builder, nil, now)
		}
	})
}
