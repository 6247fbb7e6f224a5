package tracker

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

func TestRestartsAndGaps(t *testing.T) {
	dies, lives := every(10, 0, 50), every(10, 0, longRun)
	for _, c := range []beatCase{
		{name: "a restart before the suspicion", beats: withOthers(dies), resume: 60, want: "suspect a 86, confirm a 111"},
		{name: "a restart while it is suspected", beats: withOthers(dies), resume: 90, want: "suspect a 76, confirm a 111"},
		{
			name: "it reports after a restart", beats: withOthers(dies, every(10, 100, longRun)), resume: 90,
			want: "suspect a 76, refute a 100",
		},
		{
			name: "a restart on probation", beats: withOthers(dies, every(10, 80, 100)), resume: 95,
			want: "suspect a 76, refute a 80, death a 161",
		},
		{name: "a long restart", beats: withOthers(lives), resume: 60, unreadable: between(60, 120), want: ""},
		{name: "a restart without a counter", beats: withOthers(lives), noCounter: true, resume: 60, want: ""},
		{name: "the interval is known after a restart", beats: withOthers(lives), resume: 60, until: 61, interval: map[string]int{"a": 10}},
		{name: "a restart without state forgets it", beats: withOthers(lives), restart: 60, until: 61, interval: map[string]int{"a": 0}},

		// No poll for more than twice the usual time: as in vector 8.
		{
			name: "no polls and one dies", beats: withOthers(dies), polls: without(every(1, 0, longRun), 55, 78),
			want: "suspect a 92, confirm a 111",
		},
		{name: "no polls", beats: withOthers(lives), polls: without(every(1, 0, longRun), 55, 78), want: ""},
		{
			name: "two gaps", beats: withOthers(dies), polls: without(without(every(1, 0, longRun), 55, 62), 70, 78),
			want: "suspect a 92, confirm a 111",
		},
		{
			name: "polls at twice the usual time are no gap", beats: withOthers(dies), polls: append(every(1, 0, 60), every(2, 62, longRun)...),
			want: "suspect a 76, confirm a 112",
		},
		{
			name: "two scrapers", beats: withOthers(dies), until: 140,
			polls: merged(every(15, 3, longRun), every(15, 4, longRun)), want: "suspect a 78, confirm a 123",
		},
		{name: "polls every 30 s", beats: withOthers(dies), polls: every(30, 3, longRun), want: "suspect a 93, confirm a 123"},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) { c.run(t) })
	}
}

func without(polls []int, from, to int) []int {
	return slices.DeleteFunc(slices.Clone(polls), func(t int) bool { return t >= from && t <= to })
}

func merged(a, b []int) []int {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return all
}

// While the grace of an outage lasts, a member stays suspected, so that no time is left between suspicion and death.
func TestSuspicionLastsUntilDeath(t *testing.T) {
	c := beatCase{beats: withOthers(every(10, 0, 50)), unreadable: between(55, 78)}
	tr := newSuspicious()
	for at := range 140 {
		if c.unreadable(at) {
			tr.ObserveFailure()
			continue
		}
		tr.Observe(c.poll(at), second(at), second(at))
		m := tr.members[drivers.Key{Group: "g", Name: "a"}]
		suspected, ok := m.Suspected()
		require.Equal(t, at >= 92 && at < 136, ok, at)
		require.Equal(t, at >= 136, m.DecidedDown(), at)
		if ok {
			require.Equal(t, second(92).Wall, suspected.Since)
			require.Equal(t, second(50).Wall, suspected.SilentSince)
		}
		require.Equal(t, ok, len(tr.Suspicions()) > 0 && tr.Suspicions()[0].Lasts(), at)
	}
	require.Len(t, tr.Suspicions(), 1, "it is kept for an hour")
}

// The tracker names the instant at which to poll next, and a poll just after it suspects the member.
func TestPollAt(t *testing.T) {
	for _, c := range []struct {
		name  string
		a     []int
		polls []int // the last one says when to poll next
		want  int
	}{
		{"a late member", every(10, 0, 50), []int{3, 18, 33, 48, 63}, 75},
		{"a member that is not late", every(10, 0, 60), []int{3, 18, 33, 48, 63}, 0},
		{"its limit has ended", every(10, 0, 50), []int{3, 18, 33, 48, 63, 76}, 0},
		{"fewer than 3 gaps", every(10, 40, 60), []int{43, 53, 63, 73}, 0},
		{"on probation", append(every(10, 0, 50), 80), []int{3, 18, 33, 48, 63, 78, 83, 93}, 0},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			beats := beatCase{beats: withOthers(c.a)}
			tr := newSuspicious()
			var out Changes
			for _, at := range c.polls {
				out = tr.Observe(beats.poll(at), second(at), second(at))
			}
			if c.want == 0 {
				require.Zero(t, out.PollAt)
				return
			}
			require.Equal(t, second(c.want), out.PollAt)
			last := Instant{Wall: out.PollAt.Wall.Add(time.Millisecond), Mono: out.PollAt.Mono + time.Millisecond}
			poll := beats.poll(c.want)
			poll.Now = last.Wall
			out = tr.Observe(poll, last, last)
			require.Equal(t, EventSuspect, out.Events[0].Type)
			require.Equal(t, 25*sec+time.Millisecond, out.Events[0].Latency)
		})
	}
}

// A suspicion latency is from the last proof of life to the end of the poll, as a detection latency is.
func TestSuspicionLatency(t *testing.T) {
	c := beatCase{beats: withOthers(every(10, 0, 50))}
	tr := newSuspicious()
	for at := range 76 {
		tr.Observe(c.poll(at), second(at), second(at))
	}
	out := tr.Observe(c.poll(76), second(76), second(78))
	require.Equal(t, EventSuspect, out.Events[0].Type)
	require.True(t, out.Events[0].HasLatency)
	require.Equal(t, 28*sec, out.Events[0].Latency)
}

// Each member that can't be suspected has a reason.
func TestNotSuspected(t *testing.T) {
	at := func(until int, c beatCase, settings Suspicion) *Tracker {
		tr := New(Options{Source: "s", Settings: Settings{ForgetAfter: hour, Suspicion: settings}})
		for second1 := range until {
			tr.Observe(c.poll(second1), second(second1), second(second1))
		}
		return tr
	}
	on := Suspicion{Enabled: true, Margin: 10 * sec}
	lives := every(10, 0, longRun)
	for _, c := range []struct {
		want string
		tr   *Tracker
	}{
		{"", at(60, beatCase{beats: withOthers(lives)}, on)},
		{NotEnabled, at(60, beatCase{beats: withOthers(lives)}, Suspicion{Margin: 10 * sec})},
		{NotUp, at(120, beatCase{beats: withOthers(every(10, 0, 50))}, on)},
		{Learning, at(30, beatCase{beats: withOthers(lives)}, on)},
		{Irregular, at(100, beatCase{beats: withOthers([]int{0, 5, 25, 32, 60, 64, 90})}, on)},
		{IntervalTooLong, at(180, beatCase{beats: withOthers(every(34, 0, longRun))}, on)},
		{Probation, at(95, beatCase{beats: withOthers(every(10, 0, 50), every(10, 80, 90))}, on)},
		{SoleMember, at(60, beatCase{beats: map[string][]int{"a": lives}}, on)},
	} {
		m := c.tr.members[drivers.Key{Group: "g", Name: "a"}]
		require.Equal(t, c.want, c.tr.NotSuspected(m))
		require.True(t, c.want == "" || slices.Contains(NotSuspectedReasons(), c.want))
	}
	tr := New(Options{Source: "s", Settings: Settings{Suspicion: on}})
	tr.observeAt(0, "a:up")
	require.Equal(t, NoHeartbeats, tr.NotSuspected(tr.Members()[0]))
}

// A member that left while it was suspected is the third outcome; one that is forced down is confirmed.
func TestOtherOutcomes(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*drivers.Poll)
		want   string
	}{
		{"left", func(p *drivers.Poll) { p.Members = p.Members[1:] }, "leave:left"},
		{"forced down", func(p *drivers.Poll) { p.Members[0].Up, p.Members[0].ForcedDown = false, drivers.FlagYes }, "confirm:confirmed forced_down:"},
		{"down", func(p *drivers.Poll) { p.Members[0].Up = false }, "confirm:confirmed death:"},
		{"reported", func(p *drivers.Poll) { p.Members[0].LastHeartbeat = p.Now }, "refute:refuted"},
		{"disabled", func(p *drivers.Poll) { p.Members[0].Enabled = drivers.FlagNo }, ""},
		{"unreadable", func(p *drivers.Poll) { p.Unknown, p.Members = p.Members[:1], p.Members[1:] }, ""},
	} {
		t.Run(strings.ReplaceAll(test.name, " ", "_"), func(t *testing.T) {
			c := beatCase{beats: withOthers(every(10, 0, 50))}
			tr := newSuspicious()
			for at := range 77 {
				tr.Observe(c.poll(at), second(at), second(at))
			}
			require.True(t, tr.Suspicions()[0].Lasts())
			poll := c.poll(77)
			test.change(poll)
			out := tr.Observe(poll, second(77), second(77))
			requireSound(t, tr)
			var got []string
			for _, e := range out.Events {
				got = append(got, fmt.Sprintf("%s:%s", e.Type, e.Outcome))
			}
			require.Equal(t, test.want, strings.Join(got, " "))
			require.Equal(t, test.name == "unreadable", tr.Suspicions()[0].Lasts())
			_, suspected := tr.order[0].Suspected()
			require.Equal(t, test.name == "unreadable" || test.name == "disabled", suspected)
		})
	}
}

// Turning suspicion off ends no suspicion, so that each has an outcome; none begins.
func TestReload(t *testing.T) {
	c := beatCase{beats: withOthers(every(10, 0, 50))}
	c.beats["b"] = every(10, 2, 70)
	tr := newSuspicious()
	var got []string
	for at := range longRun {
		if at == 80 {
			settings := tr.opts.Settings
			settings.Suspicion.Enabled = false
			tr.Set(settings)
		}
		out := tr.Observe(c.poll(at), second(at), second(at))
		got = append(got, suspicionsInWords(&out, at, map[string]bool{"a": true})...)
	}
	require.Equal(t, "suspect a 76, confirm a 111, death b 123", strings.Join(got, ", "))
}

// Cells that are too small for a guard of their own have one together.
func TestSharedGuard(t *testing.T) {
	const cells = 5
	for _, shares := range []bool{false, true} {
		guard := NewGuard()
		if !shares {
			guard = nil
		}
		trackers := make([]*Tracker, cells)
		for i := range trackers {
			trackers[i] = New(Options{Source: strconv.Itoa(i), Settings: Settings{
				ForgetAfter: hour, Suspicion: Suspicion{Enabled: true, Margin: 10 * sec}, Shared: guard,
			}})
		}
		// Of each cell's three members two are silent from 50 to 90, and one of the first cell for good.
		wrong := 0
		var got []string
		for at := range 200 {
			for i, tr := range trackers {
				c := beatCase{beats: map[string][]int{
					"a": slices.Concat(every(10, i%3, 50), every(10, 90+i%3, 200)),
					"b": slices.Concat(every(10, 3+i%3, 50), every(10, 93+i%3, 200)),
					"c": every(10, 6+i%3, 200),
				}}
				if i == 0 {
					c.beats["a"] = every(10, 0, 50)
				}
				out := tr.Observe(c.poll(at), second(at), second(at))
				if at == 80 {
					require.Equal(t, shares, tr.SuspendsSuspicion())
				}
				for _, word := range suspicionsInWords(&out, at, map[string]bool{}) {
					if strings.HasPrefix(word, "refute") {
						wrong++
					}
					if i == 0 && strings.Contains(word, " a ") {
						got = append(got, word)
					}
				}
			}
		}
		if !shares {
			require.Equal(t, 2*cells-1, wrong, "without the shared guard two of three are suspected in each cell")
			continue
		}
		require.Zero(t, wrong)
		require.Equal(t, "suspect a 107, confirm a 111", strings.Join(got[:2], ", "),
			"4 of 15 are late at 93 and 2 at 94, so that the guard is off; a waits for 12 s more")
	}
}

// The numbers of a cell no longer count when it is removed, or not read for long.
func TestSharedGuardForgets(t *testing.T) {
	for name, forget := range map[string]func(g *Guard) (at time.Duration){
		"removed": func(g *Guard) time.Duration { g.remove("a"); return sec },
		"old":     func(*Guard) time.Duration { return 12 * sec },
	} {
		g := NewGuard()
		require.True(t, g.observe("a", reporters{known: 5, late: 4}, 0, 10*sec).on, name)
		require.True(t, g.observe("b", reporters{known: 5, late: 1}, 0, 10*sec).on, name)
		at := forget(g)
		view := g.observe("b", reporters{known: 5, late: 1}, at, 10*sec)
		require.False(t, view.on, name)
		require.True(t, view.holds, name)
		require.Equal(t, at, view.ended, name)
		require.False(t, g.observe("b", reporters{known: 5, late: 1}, at+sec, 10*sec).holds, name)
	}
}
