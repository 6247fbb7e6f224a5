package main

import (
	"fmt"
	"slices"
	"time"

	"servicegroup_exporter/collector"
	"servicegroup_exporter/web/api"
)

// A fault is something that breaks, and what may come of it.
type fault struct {
	name string
	// quick faults take seconds, and CI lets them occur.
	quick bool
	// begin breaks things, and end puts them right after the time broken. End may be nil.
	begin, end func(l *lab)
	broken     time.Duration

	// silent says that the backend can't hear the members for longer than they may be silent although it can be read, so
	// that each of them dies once, by the backend's own verdict, and returns once.
	silent bool
	// doubtful says the same, except that it depends on chance for how long, and so who dies.
	doubtful bool
	// exporterAway says that nobody answers scrapes while things are broken.
	exporterAway bool
	// unseen says that nobody could know of a member that dies meanwhile, so none does.
	unseen bool
	// recovery bounds how long it takes, from the end of the fault, until every member is known again; 0: usualRecovery.
	recovery time.Duration
	// check looks for what else has to be so when all is over.
	check func(l *lab, seen *observation) error
}

// savedWithin is how soon the exporter's memory has what it saw. What it saw in the last second before it is killed may be
// told again, or not at all, when it is back.
const savedWithin = time.Second

// diskRetry is how often MariaDB looks whether a full disk has room again.
const diskRetry = time.Minute

// usualRecovery is how long a member that was up and looks dead after an outage may be held, and as long again for everybody
// to find back: the backend's clients wait and try again, and a poll has to come.
const usualRecovery = 2 * downTime

func (f *fault) bound() time.Duration {
	if f.recovery > 0 {
		return f.recovery
	}
	return usualRecovery
}

// An observation is what was seen of a fault.
type observation struct {
	well, dead, victims []string
	// excused are deaths of a victim that came before it was killed: the backend's own verdict.
	excused      map[string]int
	began, ended time.Time
	known        time.Time // when every member was known again; zero: never
	samples      []sample  // the first is the last one before the fault
	events       []api.Event
	listed       []api.Event // what the exporter itself has
	lastID       int64       // of the last event before the fault
}

// undergo lets a fault occur. One member dies in the middle of it, and another one after it.
func (l *lab) undergo(f *fault) outcome {
	during, after := l.victims[0], l.victims[1]
	l.victims = l.victims[2:]
	during.start()
	after.start()
	victims := []string{during.name, after.name}
	l.eventually("everybody is known", func() bool { return l.settled() && l.watch.last().allUp(victims) })
	time.Sleep(2 * savedWithin)

	seen := observation{well: l.well(), dead: l.dead, victims: victims, began: time.Now()}
	from := l.watch.mark()
	seen.lastID = from.lastID
	f.begin(l)
	if !f.unseen {
		during.kill()
	}
	time.Sleep(f.broken)
	if f.end != nil {
		f.end(l)
	}
	seen.ended = time.Now()
	if l.soon(func() bool {
		return l.settled() && l.watch.last().allUp(victims[1:]) && l.watch.last().at.After(seen.ended)
	}) {
		seen.known = l.watch.last().at
	}
	_, seen.events = l.watch.since(from)
	seen.excused = map[string]int{after.name: count(seen.events, after.name, collector.EventDeath)}
	during.kill()
	after.kill()
	l.soon(func() bool {
		_, seen.events = l.watch.since(from)
		return !slices.ContainsFunc(victims, func(name string) bool {
			return count(seen.events, name, collector.EventDeath) <= seen.excused[name]
		})
	})
	time.Sleep(2 * scrapeInterval) // What should not come has time to.
	seen.samples, seen.events = l.watch.since(from)
	seen.listed = l.listed()
	o := seen.judge(f)
	if f.check != nil {
		if err := f.check(l, &seen); err != nil {
			o.problemf("%v", err)
		}
	}
	return o
}

func count(events []api.Event, member string, what collector.EventType) int {
	n := 0
	for i := range events {
		if events[i].Member == member && events[i].Event == what {
			n++
		}
	}
	return n
}

// problemf notes that something is not as it should be.
func (o *outcome) problemf(format string, args ...any) {
	o.problems = append(o.problems, fmt.Sprintf(format, args...))
}
