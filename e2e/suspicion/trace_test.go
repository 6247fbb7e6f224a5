package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func recording(t *testing.T) *trace {
	t.Helper()
	tr, err := recorded()
	require.NoError(t, err)
	return tr
}

func TestRecording(t *testing.T) {
	tr := recording(t)
	require.Len(t, tr.members, 15)
	require.Len(t, tr.of("nova-compute", usual), 9)
	require.Len(t, tr.of("nova-compute", 5*time.Second), 2)
	require.Len(t, tr.of("nova-compute", 20*time.Second), 1)
	require.Equal(t, 3071, len(tr.reports)) //nolint:testifylint // Len would print them all.
	require.Len(t, tr.deaths(), 17)
	require.Len(t, tr.segments(), 13)
	require.InDelta(t, 36.7, tr.end.Minutes(), 0.1)
	require.Equal(t, "deaths", tr.segment(tr.deaths()[0].at))
	var unreadable time.Duration
	for _, s := range tr.failures {
		unreadable += s.to - s.from
	}
	require.InDelta(t, 16, unreadable.Seconds(), 2, "MariaDB was frozen for 15 s, and restarted")
	names := make([]string, 0, 6)
	for _, s := range tr.stalls() {
		names = append(names, s.name)
		require.Greater(t, s.during.from, time.Duration(0), s.name)
		require.Greater(t, s.during.to, s.during.from, s.name)
	}
	require.Len(t, names, 6)
}

const header = "t,host,binary,report_count,last_seen_up\n"

func TestParseTrace(t *testing.T) {
	tr, err := parseTrace(strings.NewReader(header+`100.5,c1,nova-compute,7,90
100.5,api,nova-osapi_compute,0,
110.25,c1,nova-compute,8,110
112.5,ERROR
113,c1,nova-compute,9,112
`), strings.NewReader("t,event,target\n101,segment,calm\n102,KILL,c1\n140,start,c1\n"))
	require.NoError(t, err)
	require.Equal(t, []member{{"c1", "nova-compute", 2 * time.Second}, {"api", "nova-osapi_compute", 0}}, tr.members)
	require.Equal(t, report{10250 * time.Millisecond, 0, row{8, 10 * time.Second}}, tr.reports[2])
	require.Equal(t, never, tr.reports[1].beat)
	require.Equal(t, []span{{10500 * time.Millisecond, 12500 * time.Millisecond}, {12500 * time.Millisecond, 13 * time.Second}}, tr.failures)
	require.Equal(t, "calm", tr.segment(2*time.Second))
}

func TestParseTraceRefuses(t *testing.T) {
	for name, test := range map[string]struct{ rows, events, want string }{
		"a time":                  {header + "soon,c1,nova-compute,7,90\n", "t\n", "reading the rows: line 2: "},
		"too few fields":          {header + "1,c1,nova-compute\n", "t\n", "reading the rows: line 2: there are 3 fields"},
		"a counter":               {header + "1,c1,nova-compute,-7,90\n", "t\n", "reading the rows: line 2: "},
		"a heartbeat":             {header + "1,c1,nova-compute,7,now\n", "t\n", "reading the rows: line 2: "},
		"no rows at all":          {"", "t\n", "reading the rows: EOF"},
		"an event without a name": {header + "1,c1,nova-compute,7,1\n", "t\n1\n", "reading the events: line 2: there are 1 fields"},
		"an event's time":         {header + "1,c1,nova-compute,7,1\n", "t\nx,KILL,c1\n", "reading the events: line 2: "},
		"no events at all":        {header + "1,c1,nova-compute,7,1\n", "", "reading the events: EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseTrace(strings.NewReader(test.rows), strings.NewReader(test.events))
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestQuantile(t *testing.T) {
	all := []time.Duration{5, 1, 4, 2, 3}
	require.Equal(t, time.Duration(3), median(all))
	require.Equal(t, time.Duration(5), quantile(all, 0.95))
	require.Equal(t, time.Duration(1), quantile(all, 0))
	require.Zero(t, median(nil))
}
