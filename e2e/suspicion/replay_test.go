package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// beats makes a trace of one member that reports at these seconds.
func beats(end time.Duration, seconds ...int) *trace {
	tr := &trace{members: []member{{"a", "nova-compute", usual}}, end: end}
	for i, s := range seconds {
		at := time.Duration(s) * time.Second
		tr.reports = append(tr.reports, report{at, 0, row{uint64(i + 1), at}})
	}
	return tr
}

// everySecond polls half a second after each second.
func everySecond(tr *trace, kills ...kill) *run {
	return &run{
		trace: tr, during: span{0, tr.end}, schedule: schedule{interval: time.Second, phase: time.Second / 2}, timeout: downTime, kills: kills,
	}
}

// first returns when a member was first noticed.
func first(t *testing.T, r *replay, after time.Duration) time.Duration {
	t.Helper()
	took, noticed := r.detection(kill{at: after})
	require.True(t, noticed)
	return after + took
}

func TestDetectors(t *testing.T) {
	const half = time.Second / 2
	regular := []int{0, 10, 20, 30, 40, 50}
	moved := []int{0, 10, 20, 30, 40, 50, 70, 80}
	for name, test := range map[string]struct {
		make  func(m []member) detector
		beats []int
		want  time.Duration // when it is suspected after its last heartbeat
	}{
		"Nova's rule":                         {func([]member) detector { return novaRule{} }, regular, 110*time.Second + half},
		"two and a half intervals":            {func(m []member) detector { return newLimit(m, 2.5, 0) }, regular, 75*time.Second + half},
		"with a margin":                       {func(m []member) detector { return newLimit(m, 1, 3*time.Second) }, regular, 63*time.Second + half},
		"too few gaps":                        {func(m []member) detector { return newLimit(m, 2.5, 0) }, regular[:3], 80*time.Second + half},
		"NFD-E":                               {func(m []member) detector { return newNFDE(m, 16, 5*time.Second) }, regular, 65*time.Second + half},
		"NFD-E expects earlier after a stall": {func(m []member) detector { return newNFDE(m, 16, 15*time.Second) }, moved, 98*time.Second + half},
		"phi, the least deviation":            {func(m []member) detector { return newAccrual(m, 8, half) }, regular, 63*time.Second + half},
		"phi, other gaps":                     {func(m []member) detector { return newAccrual(m, 8, half) }, moved, 111*time.Second + half},
	} {
		t.Run(name, func(t *testing.T) {
			tr := beats(200*time.Second, test.beats...)
			last := tr.reports[len(tr.reports)-1].at
			require.Equal(t, test.want.String(), first(t, everySecond(tr).replay(test.make(tr.members)), last).String())
		})
	}
}

func TestMistakes(t *testing.T) {
	tight := func(m []member) detector { return newLimit(m, 1.5, 0) }
	for name, test := range map[string]struct {
		beats           []int
		deaths          []kill
		wrong, withNova int
	}{
		"regular":                      {beats: []int{0, 10, 20, 30, 40, 50, 60}},
		"late by more than the limit":  {beats: []int{0, 10, 20, 30, 50, 60}, wrong: 1},
		"late twice":                   {beats: []int{0, 10, 20, 30, 50, 60, 70, 90}, wrong: 2},
		"never again":                  {beats: []int{0, 10, 20, 30}},
		"so late that Nova agrees":     {beats: []int{0, 10, 20, 30, 95, 105}, withNova: 1},
		"dead and started again":       {beats: []int{0, 10, 20, 30, 70}, deaths: []kill{{at: 35 * time.Second, until: 70 * time.Second}}},
		"suspected before it was dead": {beats: []int{0, 10, 20, 30, 70}, deaths: []kill{{at: 65 * time.Second, until: 70 * time.Second}}, wrong: 1},
		"another member is dead":       {beats: []int{0, 10, 20, 30, 50}, deaths: []kill{{member: 1, until: time.Hour}}, wrong: 1},
	} {
		t.Run(name, func(t *testing.T) {
			tr := beats(110*time.Second, test.beats...)
			wrong, withNova := everySecond(tr).replay(tight(tr.members)).mistakes(test.deaths)
			require.Len(t, wrong, test.wrong)
			require.Equal(t, test.withNova, withNova)
		})
	}
}

// A kill that is put in silences its member alone.
func TestPutIn(t *testing.T) {
	tr := beats(300*time.Second, 0, 10, 20, 30, 40, 50, 60, 70, 80)
	tr.members = append(tr.members, member{"b", "nova-compute", usual})
	for i := range 30 {
		at := time.Duration(10*i) * time.Second
		tr.reports = append(tr.reports, report{at, 1, row{uint64(i + 1), at}})
	}
	tr.sortReports()
	k := kill{member: 0, at: 33 * time.Second, until: tr.end}
	r := everySecond(tr, k).replay(novaRule{})
	took, noticed := r.detection(k)
	require.True(t, noticed)
	require.Equal(t, 57500*time.Millisecond, took, "60 s after the heartbeat at 30 s")
	require.Empty(t, r.noticed[1])
}

// wishes wants a poll a quarter of a second after each poll.
type wishes struct{ polls []time.Duration }

func (w *wishes) observe(p *poll, _ []bool) time.Duration {
	w.polls = append(w.polls, p.at)
	return p.at + time.Second/4
}

func TestExtraPolls(t *testing.T) {
	tr := beats(2*time.Second, 0)
	for extra, want := range map[bool]int{false: 2, true: 8} {
		w := &wishes{}
		r := everySecond(tr)
		r.during.to, r.schedule.extra = 2500*time.Millisecond, extra
		r.replay(w)
		require.Len(t, w.polls, want, "extra polls: %v", extra)
	}
}
