package main

import (
	"time"

	"servicegroup_exporter/collector/tracker"
	"servicegroup_exporter/drivers"
)

// program is this program's own detector: the tracker, which the exporter runs for each source.
type program struct {
	*tracker.Tracker
	members []member
	index   map[drivers.Key]int
	timeout time.Duration // heartbeat timeout
}

// margin is the default of the key suspicion.margin.
const margin = 10 * time.Second

// newProgram returns the detector for a source whose service calls a member down after a timeout.
func newProgram(members []member, timeout time.Duration) *program {
	p := &program{
		Tracker: tracker.New(tracker.Options{Source: "nova", Settings: tracker.Settings{
			Suspicion: tracker.Suspicion{Enabled: true, Margin: margin},
		}}),
		members: members, index: make(map[drivers.Key]int), timeout: timeout,
	}
	for i, m := range members {
		p.index[drivers.Key{Group: m.binary, Name: m.host}] = i
	}
	return p
}

// instant returns a time of the trace by this machine's clocks.
func instant(at time.Duration) tracker.Instant {
	return tracker.Instant{Wall: wall(at), Mono: time.Hour + at}
}

// wall returns a time of the trace by the wall clock, on an arbitrary day.
func wall(at time.Duration) time.Time { return time.Unix(1_795_873_289, 0).Add(at) }

func (d *program) observe(p *poll, suspected []bool) time.Duration {
	at := instant(p.at)
	if p.failed {
		d.ObserveFailure()
		return 0
	}
	rows := &drivers.Poll{Now: at.Wall, DownTime: d.timeout, Members: make([]drivers.Member, 0, len(d.members))}
	for i, m := range d.members {
		r := drivers.Member{
			Group: m.binary, Name: m.host, Rostered: true, Up: !p.rows[i].isDown(p.at, d.timeout),
			ReportCount: p.rows[i].count, HasReportCount: true,
		}
		if p.rows[i].beat != never {
			r.LastHeartbeat = wall(p.rows[i].beat)
		}
		rows.Members = append(rows.Members, r)
	}
	changes := d.Observe(rows, at, at)
	for _, e := range changes.Events {
		if i, isMember := d.index[e.Member.Key()]; isMember {
			switch e.Type {
			case tracker.EventSuspect:
				suspected[i] = true
			case tracker.EventConfirm, tracker.EventRefute, tracker.EventLeave:
				suspected[i] = false
			default:
			}
		}
	}
	if changes.PollAt.IsZero() {
		return 0
	}
	return changes.PollAt.Mono - time.Hour
}

// ownContender returns this program's detector for Nova.
func ownContender() contender {
	return contender{"this program", "this program", func(members []member) detector { return newProgram(members, downTime) }}
}
