package main

import (
	"fmt"
	"slices"
	"time"

	"servicegroup_exporter/collector"
	"servicegroup_exporter/web/api"
)

// A fault breaks something, and declares which consequences are allowed.
type fault struct {
	name string
	// quick faults take seconds, and run in CI.
	quick bool
	// begin starts the fault, and end ends it after the duration. end may be nil.
	begin, end func(env *environment)
	duration   time.Duration

	// silent means that the heartbeats of all members are lost for longer than the heartbeat timeout, while the backend can be
	// read. By the backend's own verdict every member then dies once, and returns once.
	silent bool
	// maybeSilent is like silent, but it depends on chance which members die.
	maybeSilent bool
	// exporterDown means that the exporter does not answer scrapes during the fault.
	exporterDown bool
	// unknowable means that the exporter can't detect a death during the fault, so no member is killed during it.
	unknowable bool
	// recovery bounds the time from the end of the fault until the state of every member is known again. 0 means usualRecovery.
	recovery time.Duration
	// says is a regular expression for a line of the command check that names the fault while it lasts, empty if none does.
	says string
	// check checks further conditions after the fault.
	check func(env *environment, seen *observation) error
}

// saveInterval is how often the exporter writes its state file. Events of the last second before it is killed may be reported
// twice, or never.
const saveInterval = time.Second

// diskRetry is how often MariaDB checks whether a full disk has space again.
const diskRetry = time.Minute

// usualRecovery is the grace of a member after an outage, and as much again for clients to reconnect and for a poll.
const usualRecovery = 2 * heartbeatTimeout

func (f *fault) bound() time.Duration {
	if f.recovery > 0 {
		return f.recovery
	}
	return usualRecovery
}

// An observation is what was observed of a fault.
type observation struct {
	live, dead, victims []string
	// diedBefore counts the deaths of a victim before it was killed, which are the backend's own verdict.
	diedBefore   map[string]int
	began, ended time.Time
	known        time.Time // when the state of every member was known again, zero if never
	samples      []sample  // the first sample is the last one before the fault
	events       []api.Event
	listed       []api.Event // as the exporter's API lists them
	lastID       int64       // of the last event before the fault
}

// runFault runs a fault. It kills one member during the fault, and another one after it.
func (env *environment) runFault(f *fault) outcome {
	during, after := env.victims[0], env.victims[1]
	env.victims = env.victims[2:]
	during.start()
	after.start()
	victims := []string{during.name, after.name}
	env.eventually("the states of all members are known", func() bool { return env.settled() && env.watch.last().allUp(victims) })
	time.Sleep(2 * saveInterval)

	seen := observation{live: env.live(), dead: env.dead, victims: victims, began: time.Now()}
	from := env.watch.mark()
	seen.lastID = from.lastID
	f.begin(env)
	if !f.unknowable {
		during.kill()
	}
	naming := make(chan error, 1)
	if f.says != "" {
		go func() { naming <- env.named(f) }()
	}
	time.Sleep(f.duration)
	if f.end != nil {
		f.end(env)
	}
	seen.ended = time.Now()
	if env.becomesTrue(func() bool {
		return env.settled() && env.watch.last().allUp(victims[1:]) && env.watch.last().at.After(seen.ended)
	}) {
		seen.known = env.watch.last().at
	}
	_, seen.events = env.watch.since(from)
	seen.diedBefore = map[string]int{after.name: count(seen.events, after.name, collector.EventDeath)}
	during.kill()
	after.kill()
	env.becomesTrue(func() bool {
		_, seen.events = env.watch.since(from)
		return !slices.ContainsFunc(victims, func(name string) bool {
			return count(seen.events, name, collector.EventDeath) <= seen.diedBefore[name]
		})
	})
	time.Sleep(2 * scrapeInterval) // This leaves time for wrong events.
	seen.samples, seen.events = env.watch.since(from)
	seen.listed = env.listed()
	o := seen.verdict(f)
	if f.says != "" {
		if err := <-naming; err != nil {
			o.problemf("%v", err)
		}
	}
	if f.check != nil {
		if err := f.check(env, &seen); err != nil {
			o.problemf("%v", err)
		}
	}
	return o
}

// count returns the number of events of a type about a member.
func count(events []api.Event, member string, eventType collector.EventType) int {
	n := 0
	for i := range events {
		if events[i].Member == member && events[i].Event == eventType {
			n++
		}
	}
	return n
}

// problemf records a problem.
func (o *outcome) problemf(format string, args ...any) {
	o.problems = append(o.problems, fmt.Sprintf(format, args...))
}
