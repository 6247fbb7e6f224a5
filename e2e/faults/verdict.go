package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"servicegroup_exporter/collector"
	"servicegroup_exporter/web/api"
)

// An outcome is the result of a fault.
type outcome struct {
	fault *fault
	// ownDeaths are the deaths by the backend's own verdict, which the fault causes.
	ownDeaths                          int
	falseDeaths, falseRecoveries, lost int
	recovery, longest                  time.Duration
	problems                           []string
}

// verdict counts wrong events, and compares all measures with their bounds.
//
// A death is false if the member lived, unless the fault kept its heartbeats from the backend for longer than the heartbeat
// timeout. In that case only the first death and recovery of the member are right. A recovery is false if the member is dead,
// or was not reported dead. An event is lost if a death is not reported, reported twice, or missing in the stream of events.
func (s *observation) verdict(f *fault) outcome {
	o := outcome{fault: f}
	for _, name := range s.live {
		deaths, recoveries := s.changes(name)
		right := f.rightDeaths(deaths)
		o.ownDeaths += right
		o.falseDeaths += deaths - right
		o.falseRecoveries += max(recoveries-right, 0)
	}
	for _, name := range s.dead {
		deaths, recoveries := s.changes(name)
		o.falseDeaths += deaths
		o.falseRecoveries += recoveries
	}
	for _, name := range s.victims {
		diedBefore := s.diedBefore[name]
		o.falseDeaths += diedBefore - f.rightDeaths(diedBefore)
		reported := count(s.events, name, collector.EventDeath) - diedBefore
		o.lost += max(1, reported) - min(1, reported)
	}
	o.lost += s.unstreamed()
	o.longest = s.longestScrape(f, &o)
	o.recovery = s.known.Sub(s.ended)
	o.checkBounds(s, f)
	return o
}

// rightDeaths returns how many deaths of a live member are the backend's own verdict.
func (f *fault) rightDeaths(deaths int) int {
	if f.silent || f.maybeSilent {
		return min(deaths, 1)
	}
	return 0
}

// checkBounds records every bound that was exceeded.
func (o *outcome) checkBounds(s *observation, f *fault) {
	if f.silent && o.ownDeaths != len(s.live) {
		o.problemf("%d members were reported dead, although all %d were silent for too long", o.ownDeaths, len(s.live))
	}
	for what, n := range map[string]int{
		"false deaths": o.falseDeaths, "false recoveries": o.falseRecoveries, "lost events": o.lost,
	} {
		if n != 0 {
			o.problemf("%d %s: %s", n, what, s.eventLog())
		}
	}
	switch {
	case s.known.IsZero():
		o.problemf("the states of members were not known again within %s", waitTimeout)
	case o.recovery > f.bound():
		o.problemf("it took %s until the state of every member was known again, more than %s", o.recovery, f.bound())
	}
	if o.longest > scrapeTimeout {
		o.problemf("a scrape took %s, more than %s", o.longest, scrapeTimeout)
	}
}

// changes counts the deaths and recoveries of a member in the scrapes and in the events, and returns the larger numbers.
func (s *observation) changes(name string) (deaths, recoveries int) {
	known, up := false, false
	for i := range s.samples {
		now, ok := s.samples[i].up[name]
		switch {
		case !ok:
			continue
		case known && up && !now:
			deaths++
		case known && !up && now:
			recoveries++
		}
		known, up = true, now
	}
	return max(deaths, count(s.events, name, collector.EventDeath)), max(recoveries, count(s.events, name, collector.EventRecovery))
}

// unstreamed counts the events that the API lists and that the stream did not send.
func (s *observation) unstreamed() int {
	n := 0
	for i := range s.listed {
		e := &s.listed[i]
		if e.ID > s.lastID && !slices.ContainsFunc(s.events, func(streamed api.Event) bool { return streamed.ID == e.ID }) {
			n++
		}
	}
	return n
}

// longestScrape returns the duration of the longest scrape. A failed scrape is a problem, unless the exporter was down.
func (s *observation) longestScrape(f *fault, o *outcome) time.Duration {
	var longest time.Duration
	for i := range s.samples {
		scrape := &s.samples[i]
		end := scrape.at.Add(scrape.took)
		if f.exporterDown && end.After(s.began) && scrape.at.Before(s.ended) {
			continue
		}
		if scrape.err != nil {
			o.problemf("a scrape failed: %v", scrape.err)
		}
		longest = max(longest, scrape.took)
	}
	return longest
}

// eventLog returns all events as text, to show why something failed.
func (s *observation) eventLog() string {
	var text strings.Builder
	for i := range s.events {
		e := &s.events[i]
		fmt.Fprintf(&text, "\n  %s %s %s %s", e.Time.Format("15:04:05.000"), e.Event, e.Member, e.Error)
	}
	return text.String()
}
