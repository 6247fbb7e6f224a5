package tracker

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

// A beatCase is members that send heartbeats, polls that see them, and what must be decided. All times are in seconds since the
// beginning. The heartbeat timeout is a minute; a member is down when its heartbeat is older.
type beatCase struct {
	name  string
	beats map[string][]int // the heartbeats of each member
	until int              // when the last poll is at the latest
	want  string           // "suspect a 76, confirm a 111": all events of suspicions, and deaths of members that were not suspected

	polls      []int          // zero: each second
	reset      map[string]int // the heartbeat at which a member's counter begins again at 1
	noCounter  bool           // the backend does not count heartbeats
	unreadable func(int) bool // whether the source can't be read then
	backend    func(int) int  // the backend's clock; nil: the true time
	restart    int            // when the exporter restarts without state; zero: never
	resume     int            // when it restarts with its state
	interval   map[string]int // what must have been learned in the end
}

// every returns heartbeats from a time until another one.
func every(interval, from, until int) (at []int) {
	for t := from; t <= until; t += interval {
		at = append(at, t)
	}
	return at
}

const longRun = 230

// withOthers returns the heartbeats of a, and of b, c and d, which report every 10 s.
func withOthers(a ...[]int) map[string][]int {
	return map[string][]int{"a": slices.Concat(a...), "b": every(10, 2, longRun), "c": every(10, 4, longRun), "d": every(10, 7, longRun)}
}

// rack returns members that report every 10 s, of which the first dead have none after 50.
func rack(members, dead int) map[string][]int {
	all := make(map[string][]int)
	for i := range members {
		end := longRun
		if i < dead {
			end = 50
		}
		all[fmt.Sprintf("m%02d", i)] = every(10, i%10, end)
	}
	return all
}

// stalled returns the heartbeats of vector 3 and 4: all stop, b, c and d report again from some time on, and a too if it lives.
func stalled(lives bool, again int, others ...int) map[string][]int {
	all := map[string][]int{"a": every(10, 0, 40)}
	for i, name := range []string{"b", "c", "d"} {
		from := again
		if len(others) > 0 {
			from = others[i]
		}
		all[name] = append(every(10, []int{2, 4, 7}[i], 49), every(10, from, longRun)...)
	}
	if lives {
		all["a"] = append(all["a"], every(10, again, longRun)...)
	}
	return all
}

func vectors() []beatCase {
	dies := every(10, 0, 50)
	return []beatCase{
		{name: "1, polls each second", beats: withOthers(dies), want: "suspect a 76, confirm a 111"},
		{name: "1, polls every 5 s", beats: withOthers(dies), polls: every(5, 3, longRun), want: "suspect a 78, confirm a 113"},
		{name: "1, polls every 15 s", beats: withOthers(dies), polls: every(15, 3, longRun), want: "suspect a 78, confirm a 123"},
		{
			name: "2, it reports again and dies", beats: withOthers(dies, every(10, 80, 110)),
			want: "suspect a 76, refute a 80, suspect a 136, confirm a 171",
		},
		{
			name: "2b, it dies on probation", beats: withOthers(dies, every(10, 80, 100)),
			want: "suspect a 76, refute a 80, death a 161",
		},
		{
			name: "2c, a lost report", beats: withOthers(dies, every(10, 120, 150)),
			want: "suspect a 76, confirm a 111, recovery a 120, suspect a 176, confirm a 211",
		},
		{name: "3, all are held", beats: stalled(true, 88), want: ""},
		{name: "4, all are held and one dies", beats: stalled(false, 70), until: 110, want: "suspect a 83, confirm a 101"},
		{
			name: "5, three of 14 die", beats: rack(14, 3), until: 120,
			want: "suspect m01 67, suspect m02 68, suspect m00 76, confirm m01 102, confirm m02 103, confirm m00 111",
		},
		{
			name: "5, seven of 14 die", beats: rack(14, 7), until: 120,
			want: "death m01 102, death m02 103, death m03 104, death m04 105, death m05 106, death m06 107, death m00 111",
		},
		{
			name: "6, the interval changes", beats: withOthers(dies, every(30, 80, longRun)),
			want: "suspect a 76, refute a 80", interval: map[string]int{"a": 30, "b": 10},
		},
		{
			name: "6, before the third gap", beats: withOthers(dies, every(30, 80, longRun)), until: 139,
			want: "suspect a 76, refute a 80", interval: map[string]int{"a": 10},
		},
		{
			name: "7, the backend's clock jumps back", beats: withOthers(dies), until: 155,
			backend: func(t int) int {
				if t >= 60 {
					return t - 40
				}
				return t
			},
			want: "suspect a 76, confirm a 151",
		},
		{
			name: "7b, the backend's clock jumps forward", beats: withOthers(every(10, 0, longRun)),
			backend: func(t int) int {
				if t >= 60 {
					return t + 40
				}
				return t
			},
			want: "",
		},
		{
			name: "8, the source can't be read and one dies", beats: withOthers(dies), unreadable: between(55, 78),
			want: "suspect a 92, confirm a 111",
		},
		{name: "8, the source can't be read", beats: withOthers(every(10, 0, longRun)), unreadable: between(55, 78), want: ""},
		{
			name: "9, no counter", beats: withOthers(dies), noCounter: true, polls: every(5, 3, longRun),
			want: "suspect a 78, confirm a 113",
		},
		{
			name: "10, the counter begins again", beats: withOthers(every(10, 0, 80)), reset: map[string]int{"a": 40},
			want: "suspect a 106, confirm a 141",
		},
		{name: "11, the exporter restarts without state", beats: withOthers(dies), restart: 60, want: "death a 111"},
		{name: "12, a member alone", beats: map[string][]int{"a": dies}, want: "death a 111"},
		{name: "12, two members", beats: map[string][]int{"a": dies, "b": every(10, 2, longRun)}, want: "suspect a 76, confirm a 111"},
	}
}

// lastOfStall returns the heartbeats of twelve members, of which a stall holds the first four. They return at 80, and the last one a second later.
func lastOfStall() map[string][]int {
	all := rack(12, 0)
	for i, back := range []int{80, 80, 80, 81} {
		all[fmt.Sprintf("m%02d", i)] = append(every(10, i, 59), every(10, back, longRun)...)
	}
	return all
}

// moreCases returns cases beside the vectors.
func moreCases() []beatCase {
	late := lastOfStall()
	late["m03"] = every(10, 3, 59)
	dies, rarely := withOthers(every(10, 0, 150)), every(15, 3, longRun)
	return []beatCase{
		{name: "a poll sees the end of a stall and not the stall", beats: lastOfStall(), polls: every(15, 5, longRun), want: ""},
		{
			name: "the same, and one dies in the stall", beats: late, polls: every(15, 5, longRun),
			want: "suspect m03 110, confirm m03 125",
		},
		{name: "polls are rarer than heartbeats", beats: dies, polls: rarely, want: "suspect a 183, confirm a 213"},
		{
			name: "polls are rarer than heartbeats, and there is no counter", beats: dies, noCounter: true, polls: rarely,
			want: "death a 213",
		},
	}
}

func between(from, to int) func(int) bool { return func(t int) bool { return t >= from && t <= to } }

func TestSuspicion(t *testing.T) {
	for _, c := range slices.Concat(vectors(), moreCases()) {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) { c.run(t) })
	}
}

func (c *beatCase) run(t *testing.T) {
	tr := newSuspicious()
	polls := c.polls
	if polls == nil {
		polls = every(1, 0, longRun)
	}
	if c.until == 0 {
		c.until = longRun
	}
	var got []string
	confirmed := make(map[string]bool)
	for _, at := range polls {
		if at > c.until {
			break
		}
		switch {
		case c.restart > 0 && at == c.restart:
			tr = newSuspicious()
		case c.resume > 0 && at == c.resume:
			tr = restarted(t, tr, second(at))
		}
		if c.unreadable != nil && c.unreadable(at) {
			tr.ObserveFailure()
			continue
		}
		out := tr.Observe(c.poll(at), second(at), second(at))
		requireSound(t, tr)
		got = append(got, suspicionsInWords(&out, at, confirmed)...)
	}
	require.Equal(t, c.want, strings.Join(got, ", "))
	for name, want := range c.interval {
		require.Equal(t, time.Duration(want)*sec, tr.members[drivers.Key{Group: "g", Name: name}].Interval(), name)
	}
}

func newSuspicious() *Tracker {
	return New(Options{Source: "s", Settings: Settings{ForgetAfter: 24 * hour, Suspicion: Suspicion{Enabled: true, Margin: 10 * sec}}})
}

func second(at int) Instant {
	d := time.Duration(at) * sec
	return Instant{Wall: t0.Add(d), Mono: d}
}

// poll returns what a poll finds at a time.
func (c *beatCase) poll(at int) *drivers.Poll {
	now := at
	if c.backend != nil {
		now = c.backend(at)
	}
	poll := &drivers.Poll{Now: second(now).Wall, DownTime: mins}
	for _, name := range slices.Sorted(maps.Keys(c.beats)) {
		m := drivers.Member{Group: "g", Name: name, Rostered: true, HasReportCount: !c.noCounter}
		for _, beat := range c.beats[name] {
			if beat > at {
				break
			}
			m.ReportCount++
			sent := beat
			if c.backend != nil && c.backend(at) < at { // A backend writes its own time; before the step that is the true time.
				sent = c.backend(beat)
			}
			m.LastHeartbeat = second(sent).Wall
			if reset, ok := c.reset[name]; ok && beat == reset {
				m.ReportCount = 1
			}
		}
		if m.LastHeartbeat.IsZero() {
			continue
		}
		if c.noCounter {
			m.ReportCount = 0
		}
		m.Up = poll.Now.Sub(m.LastHeartbeat).Abs() <= poll.DownTime
		poll.Members = append(poll.Members, m)
	}
	return poll
}

// suspicionsInWords returns the suspicions of a poll and what became of them, and the deaths and recoveries of other members.
func suspicionsInWords(out *Changes, at int, confirmed map[string]bool) (words []string) {
	for _, e := range out.Events {
		switch e.Type {
		case EventConfirm:
			confirmed[e.Member.Name] = true
		case EventDeath:
			if confirmed[e.Member.Name] {
				delete(confirmed, e.Member.Name)
				continue
			}
		case EventSuspect, EventRefute, EventRecovery, EventLeave:
		default:
			continue
		}
		words = append(words, fmt.Sprintf("%s %s %d", e.Type, e.Member.Name, at))
	}
	return words
}
