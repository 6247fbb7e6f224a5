package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/collector"
	"servicegroup_exporter/web/api"
)

// began is when the faults of these tests begin. They end four seconds later.
var began = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// observed returns an observation. Scrapes are one second apart; each has a digit for the members live, dead and victim, with
// "." for a missing series. Events are such as "death victim".
func observed(scrapes, events string) *observation {
	s := &observation{
		live: []string{"live"}, dead: []string{"dead"}, victims: []string{"victim"},
		began: began, ended: began.Add(4 * time.Second), known: began.Add(5 * time.Second),
	}
	for i, text := range strings.Fields(scrapes) {
		scrape := sample{at: began.Add(time.Duration(i) * time.Second), took: time.Millisecond, up: map[string]bool{}}
		for j, name := range []string{"live", "dead", "victim"} {
			if text[j] != '.' {
				scrape.up[name] = text[j] == '1'
			}
		}
		s.samples = append(s.samples, scrape)
	}
	for i, text := range strings.Split(events, ",") {
		if eventType, name, ok := strings.Cut(strings.TrimSpace(text), " "); ok {
			e := api.Event{ID: int64(i + 1), Time: began.Add(time.Second), Event: collector.EventType(eventType), Member: name}
			s.events, s.listed = append(s.events, e), append(s.listed, e)
		}
	}
	return s
}

func TestVerdict(t *testing.T) {
	good := func() *observation { return observed("101 ... 100", "death victim") }
	silent := fault{silent: true}
	for name, test := range map[string]struct {
		seen                                          *observation
		fault                                         fault
		falseDeaths, falseRecoveries, lost, ownDeaths int
		problem                                       string
	}{
		"good":                          {seen: good()},
		"a death in the scrapes":        {seen: observed("101 001 101", "death victim"), falseDeaths: 1, falseRecoveries: 1, problem: "false deaths"},
		"across a gap":                  {seen: observed("101 ... 001", "death victim"), falseDeaths: 1, problem: "false deaths"},
		"a death between scrapes":       {seen: observed("101 100", "death victim, death live, recovery live"), falseDeaths: 1, falseRecoveries: 1, problem: "false deaths"},
		"a dead member recovers":        {seen: observed("101 110", "death victim"), falseRecoveries: 1, problem: "false recoveries"},
		"a dead member dies again":      {seen: observed("101 100", "death victim, death dead"), falseDeaths: 1, problem: "false deaths"},
		"a death is not reported":       {seen: observed("101 100", ""), lost: 1, problem: "lost events"},
		"a death is reported twice":     {seen: observed("101 100", "death victim, death victim"), lost: 1, problem: "lost events"},
		"silent members die":            {seen: observed("101 000 100", "death victim"), fault: silent, ownDeaths: 1},
		"silent members do not die":     {seen: good(), fault: silent, problem: "0 members were reported dead, although all 1 were silent"},
		"silent members die twice":      {seen: observed("101 000 100 000 100", "death victim"), fault: silent, ownDeaths: 1, falseDeaths: 1, falseRecoveries: 1, problem: "false"},
		"some members die":              {seen: observed("101 001 101", "death victim"), fault: fault{maybeSilent: true}, ownDeaths: 1},
		"no member dies":                {seen: good(), fault: fault{maybeSilent: true}},
		"silent members become unknown": {seen: observed("101 001 ..1 000 100", "death victim"), fault: silent, ownDeaths: 1},
	} {
		t.Run(name, func(t *testing.T) {
			o := test.seen.verdict(&test.fault)
			require.Equal(t, []int{test.falseDeaths, test.falseRecoveries, test.lost, test.ownDeaths},
				[]int{o.falseDeaths, o.falseRecoveries, o.lost, o.ownDeaths})
			if test.problem == "" {
				require.Empty(t, o.problems)
			} else {
				require.Contains(t, strings.Join(o.problems, "\n"), test.problem)
			}
			require.Equal(t, time.Second, o.recovery)
		})
	}
}

// A member may die because of a fault, return, and be killed after the fault.
func TestVerdictOnVictimThatDiedBefore(t *testing.T) {
	s := observed("101 100 101 100", "death victim, recovery victim, death victim")
	s.diedBefore = map[string]int{"victim": 1}
	require.Empty(t, s.verdict(&fault{maybeSilent: true}).problems)
	require.Equal(t, 1, s.verdict(&fault{}).falseDeaths)
	s.events = s.events[:2]
	require.Equal(t, 2, s.verdict(&fault{maybeSilent: true}).lost) // The death is missing, and an event was not streamed.
}

func TestVerdictOnBounds(t *testing.T) {
	for name, test := range map[string]struct {
		change  func(*observation)
		fault   fault
		problem string
	}{
		"an event is not streamed":     {change: func(s *observation) { s.listed = append(s.listed, api.Event{ID: 9}) }, problem: "1 lost events"},
		"an old event is not streamed": {change: func(s *observation) { s.lastID, s.listed = 9, append(s.listed, api.Event{ID: 9}) }},
		"never known again":            {change: func(s *observation) { s.known = time.Time{} }, problem: "not known again"},
		"known too late":               {change: func(s *observation) { s.known = s.ended.Add(11 * time.Second) }, problem: "more than 10s"},
		"known later than usual":       {change: func(s *observation) { s.known = s.ended.Add(11 * time.Second) }, fault: fault{recovery: time.Minute}},
		"a scrape takes too long":      {change: func(s *observation) { s.samples[1].took = 4 * time.Second }, problem: "a scrape took 4s"},
		"a scrape fails":               {change: func(s *observation) { s.samples[1].err = errors.New("refused") }, problem: "a scrape failed: refused"},
		"a scrape fails while down":    {change: func(s *observation) { s.samples[1].err = errors.New("refused") }, fault: fault{exporterDown: true}},
		"a scrape fails after it":      {change: func(s *observation) { s.samples[2].at, s.samples[2].err = s.ended, errors.New("timeout") }, fault: fault{exporterDown: true}, problem: "timeout"},
		"a slow scrape before it":      {change: func(s *observation) { s.samples[0].took = time.Second }},
	} {
		t.Run(name, func(t *testing.T) {
			s := observed("101 ... 100", "death victim")
			test.change(s)
			o := s.verdict(&test.fault)
			if test.problem == "" {
				require.Empty(t, o.problems)
			} else {
				require.Len(t, o.problems, 1)
				require.Contains(t, o.problems[0], test.problem)
			}
		})
	}
}

func TestParseExposition(t *testing.T) {
	s := sample{up: map[string]bool{}}
	require.NoError(t, s.parse(strings.NewReader(`# HELP service_up Whether the member is up.
service_up{binary="",group="workers",member="a",source="lab",zone=""} 1
service_up{member="b"} 0
servicegroup_members{group="workers",source="lab",state="up"} 1
servicegroup_source_newest_heartbeat_timestamp_seconds{source="lab"} 9.466848005e+08
servicegroup_source_up{source="lab"} 1
`)))
	require.Equal(t, map[string]bool{"a": true, "b": false}, s.up)
	require.True(t, s.sourceUp)
	require.True(t, began.Add(500*time.Millisecond).Equal(s.newest))
	require.True(t, s.allUp([]string{"a"}))
	require.True(t, s.allDown([]string{"b"}))
	require.False(t, s.allUp([]string{"a", "b"}))
	require.False(t, s.allDown([]string{"c"}))
}

func TestStalled(t *testing.T) {
	fresh, old := sample{at: began, newest: began.Add(-time.Second), sourceUp: true, up: map[string]bool{"live": true}},
		sample{at: began, newest: began.Add(-heartbeatTimeout), sourceUp: true, up: map[string]bool{"live": true}}
	died := fresh
	died.up = map[string]bool{"live": false}
	check := func(samples ...sample) error {
		return stalled(nil, &observation{live: []string{"live"}, samples: samples})
	}
	require.NoError(t, check(fresh, old, died))
	require.ErrorContains(t, check(fresh, died, old), "before stalled heartbeats were visible")
	require.ErrorContains(t, check(fresh), "never visible")
}
