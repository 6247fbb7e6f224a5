package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"servicegroup_exporter/collector"
	"servicegroup_exporter/web/api"
)

// An outcome is what came of a fault.
type outcome struct {
	fault *fault
	// verdicts are members whose death was the backend's own verdict, as the fault had to make it.
	verdicts                           int
	falseDeaths, falseRecoveries, lost int
	recovery, longest                  time.Duration
	problems                           []string
}

// judge counts, and compares with what may be.
//
// A death is false if the member lived and the fault did not keep it from reaching the backend for as long as it may be
// silent. Where the fault did, the member's first death and its return are right, and only those. A recovery is false if
// the member is dead, or has not died. An event is lost if a death is not told, told twice, or not told to everybody.
func (s *observation) judge(f *fault) outcome {
	o := outcome{fault: f}
	for _, name := range s.well {
		deaths, recoveries := s.changes(name)
		right := f.right(deaths)
		o.verdicts += right
		o.falseDeaths += deaths - right
		o.falseRecoveries += max(recoveries-right, 0)
	}
	for _, name := range s.dead {
		deaths, recoveries := s.changes(name)
		o.falseDeaths += deaths
		o.falseRecoveries += recoveries
	}
	for _, name := range s.victims {
		excused := s.excused[name]
		o.falseDeaths += excused - f.right(excused)
		told := count(s.events, name, collector.EventDeath) - excused
		o.lost += max(1, told) - min(1, told)
	}
	o.lost += s.untold()
	o.longest = s.longestScrape(f, &o)
	o.recovery = s.known.Sub(s.ended)
	o.compare(s, f)
	return o
}

// right is how many of a living member's deaths are the backend's own verdict.
func (f *fault) right(deaths int) int {
	if f.silent || f.doubtful {
		return min(deaths, 1)
	}
	return 0
}

// compare notes every bound that was passed.
func (o *outcome) compare(s *observation, f *fault) {
	if f.silent && o.verdicts != len(s.well) {
		o.problemf("%d members died, although all %d were silent for too long", o.verdicts, len(s.well))
	}
	for what, n := range map[string]int{
		"false deaths": o.falseDeaths, "false recoveries": o.falseRecoveries, "lost events": o.lost,
	} {
		if n != 0 {
			o.problemf("%d %s: %s", n, what, s.story())
		}
	}
	switch {
	case s.known.IsZero():
		o.problemf("members are not known again within %s", patience)
	case o.recovery > f.bound():
		o.problemf("it took %s until every member was known again, more than %s", o.recovery, f.bound())
	}
	if o.longest > scrapeTimeout {
		o.problemf("a scrape took %s, more than %s", o.longest, scrapeTimeout)
	}
}

// changes counts what the events or the scrapes tell of a member, whichever tell more.
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

// untold counts the events that the exporter has and the stream did not bring.
func (s *observation) untold() int {
	n := 0
	for i := range s.listed {
		e := &s.listed[i]
		if e.ID > s.lastID && !slices.ContainsFunc(s.events, func(told api.Event) bool { return told.ID == e.ID }) {
			n++
		}
	}
	return n
}

// longestScrape is how long a scrape took at most. One without an answer is a problem, unless nobody was there to answer.
func (s *observation) longestScrape(f *fault, o *outcome) time.Duration {
	var longest time.Duration
	for i := range s.samples {
		scrape := &s.samples[i]
		end := scrape.at.Add(scrape.took)
		if f.exporterAway && end.After(s.began) && scrape.at.Before(s.ended) {
			continue
		}
		if scrape.err != nil {
			o.problemf("a scrape failed: %v", scrape.err)
		}
		longest = max(longest, scrape.took)
	}
	return longest
}

// story tells all events, for whoever has to find out.
func (s *observation) story() string {
	var text strings.Builder
	for i := range s.events {
		e := &s.events[i]
		fmt.Fprintf(&text, "\n  %s %s %s %s", e.Time.Format("15:04:05.000"), e.Event, e.Member, e.Error)
	}
	return text.String()
}
