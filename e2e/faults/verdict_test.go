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

// seen makes an observation of scrapes, one a second, each as "well dead victim", with "." for what is not there; and of
// events such as "death victim".
func seen(scrapes, events string) *observation {
	s := &observation{
		well: []string{"well"}, dead: []string{"dead"}, victims: []string{"victim"},
		began: began, ended: began.Add(4 * time.Second), known: began.Add(5 * time.Second),
	}
	for i, text := range strings.Fields(scrapes) {
		scrape := sample{at: began.Add(time.Duration(i) * time.Second), took: time.Millisecond, up: map[string]bool{}}
		for j, name := range []string{"well", "dead", "victim"} {
			if text[j] != '.' {
				scrape.up[name] = text[j] == '1'
			}
		}
		s.samples = append(s.samples, scrape)
	}
	for i, text := range strings.Split(events, ",") {
		if what, name, ok := strings.Cut(strings.TrimSpace(text), " "); ok {
			e := api.Event{ID: int64(i + 1), Time: began.Add(time.Second), Event: collector.EventType(what), Member: name}
			s.events, s.listed = append(s.events, e), append(s.listed, e)
		}
	}
	return s
}

func TestJudge(t *testing.T) {
	good := func() *observation { return seen("101 ... 100", "death victim") }
	silent := fault{silent: true}
	for name, test := range map[string]struct {
		seen                                         *observation
		fault                                        fault
		falseDeaths, falseRecoveries, lost, verdicts int
		problem                                      string
	}{
		"good":                            {seen: good()},
		"a death in the scrapes":          {seen: seen("101 001 101", "death victim"), falseDeaths: 1, falseRecoveries: 1, problem: "false deaths"},
		"across a gap":                    {seen: seen("101 ... 001", "death victim"), falseDeaths: 1, problem: "false deaths"},
		"a death between scrapes":         {seen: seen("101 100", "death victim, death well, recovery well"), falseDeaths: 1, falseRecoveries: 1, problem: "false deaths"},
		"the dead come back":              {seen: seen("101 110", "death victim"), falseRecoveries: 1, problem: "false recoveries"},
		"the dead die again":              {seen: seen("101 100", "death victim, death dead"), falseDeaths: 1, problem: "false deaths"},
		"a death is not told":             {seen: seen("101 100", ""), lost: 1, problem: "lost events"},
		"a death is told twice":           {seen: seen("101 100", "death victim, death victim"), lost: 1, problem: "lost events"},
		"silent members die":              {seen: seen("101 000 100", "death victim"), fault: silent, verdicts: 1},
		"silent members don't":            {seen: good(), fault: silent, problem: "0 members died, although all 1 were silent"},
		"silent members die twice":        {seen: seen("101 000 100 000 100", "death victim"), fault: silent, verdicts: 1, falseDeaths: 1, falseRecoveries: 1, problem: "false"},
		"some members die":                {seen: seen("101 001 101", "death victim"), fault: fault{doubtful: true}, verdicts: 1},
		"or none":                         {seen: good(), fault: fault{doubtful: true}},
		"silent members are unknown then": {seen: seen("101 001 ..1 000 100", "death victim"), fault: silent, verdicts: 1},
	} {
		t.Run(name, func(t *testing.T) {
			o := test.seen.judge(&test.fault)
			require.Equal(t, []int{test.falseDeaths, test.falseRecoveries, test.lost, test.verdicts},
				[]int{o.falseDeaths, o.falseRecoveries, o.lost, o.verdicts})
			if test.problem == "" {
				require.Empty(t, o.problems)
			} else {
				require.Contains(t, strings.Join(o.problems, "\n"), test.problem)
			}
			require.Equal(t, time.Second, o.recovery)
		})
	}
}

// A member may die of a fault, return, and be killed after it.
func TestJudgeVictimThatDiedBefore(t *testing.T) {
	s := seen("101 100 101 100", "death victim, recovery victim, death victim")
	s.excused = map[string]int{"victim": 1}
	require.Empty(t, s.judge(&fault{doubtful: true}).problems)
	require.Equal(t, 1, s.judge(&fault{}).falseDeaths)
	s.events = s.events[:2]
	require.Equal(t, 2, s.judge(&fault{doubtful: true}).lost) // It is not told, and the exporter has one that was not.
}

func TestJudgeBounds(t *testing.T) {
	for name, test := range map[string]struct {
		spoil   func(*observation)
		fault   fault
		problem string
	}{
		"an event is not streamed":    {spoil: func(s *observation) { s.listed = append(s.listed, api.Event{ID: 9}) }, problem: "1 lost events"},
		"an old event is not":         {spoil: func(s *observation) { s.lastID, s.listed = 9, append(s.listed, api.Event{ID: 9}) }},
		"never known again":           {spoil: func(s *observation) { s.known = time.Time{} }, problem: "not known again"},
		"known too late":              {spoil: func(s *observation) { s.known = s.ended.Add(11 * time.Second) }, problem: "more than 10s"},
		"known later than usual":      {spoil: func(s *observation) { s.known = s.ended.Add(11 * time.Second) }, fault: fault{recovery: time.Minute}},
		"a scrape takes too long":     {spoil: func(s *observation) { s.samples[1].took = 4 * time.Second }, problem: "a scrape took 4s"},
		"a scrape fails":              {spoil: func(s *observation) { s.samples[1].err = errors.New("nobody there") }, problem: "a scrape failed: nobody there"},
		"nobody can answer":           {spoil: func(s *observation) { s.samples[1].err = errors.New("nobody there") }, fault: fault{exporterAway: true}},
		"and when somebody could":     {spoil: func(s *observation) { s.samples[2].at, s.samples[2].err = s.ended, errors.New("why") }, fault: fault{exporterAway: true}, problem: "why"},
		"a slow scrape before it all": {spoil: func(s *observation) { s.samples[0].took = time.Second }},
	} {
		t.Run(name, func(t *testing.T) {
			s := seen("101 ... 100", "death victim")
			test.spoil(s)
			o := s.judge(&test.fault)
			if test.problem == "" {
				require.Empty(t, o.problems)
			} else {
				require.Len(t, o.problems, 1)
				require.Contains(t, o.problems[0], test.problem)
			}
		})
	}
}

func TestParseScrape(t *testing.T) {
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
	fresh, old := sample{at: began, newest: began.Add(-time.Second), sourceUp: true, up: map[string]bool{"well": true}},
		sample{at: began, newest: began.Add(-downTime), sourceUp: true, up: map[string]bool{"well": true}}
	died := fresh
	died.up = map[string]bool{"well": false}
	judge := func(samples ...sample) error {
		return stalled(nil, &observation{well: []string{"well"}, samples: samples})
	}
	require.NoError(t, judge(fresh, old, died))
	require.ErrorContains(t, judge(fresh, died, old), "before it could be seen")
	require.ErrorContains(t, judge(fresh), "could not be seen")
}
