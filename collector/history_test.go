package collector

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

// A history is a scripted series of polls of one source with what each must bring to light, in words:
// "death a 1m5s; a=down b=up" is the events in order and then the state of every member.
type history struct {
	name        string
	noClock     bool          // the backend has no clock
	downTime    time.Duration // 0: a minute; negative: none
	forgetAfter time.Duration // 0: a day
	steps       []step
}

type step struct {
	at     time.Duration // when, since the beginning of the history
	failed bool
	rows   []drivers.Member
	want   string

	took     time.Duration     // how long the poll took; at is when it began
	wallStep time.Duration     // by how much this machine's wall clock is wrong from now on
	backStep time.Duration     // by how much the backend's clock is off from now on
	changed  time.Duration     // when a watch saw group g change
	rejected drivers.Rejection // something the driver could not use
	unknown  string            // rows of which the backend can't say more
	restart  bool              // the exporter was restarted just before
}

// t0 is when histories begin, and when fake time does.
var t0 = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func TestHistories(t *testing.T) {
	for _, h := range allHistories() {
		t.Run(strings.ReplaceAll(h.name, " ", "_"), func(t *testing.T) { h.play(t) })
	}
}

func (h history) play(t *testing.T) {
	if h.forgetAfter == 0 {
		h.forgetAfter = DefaultForgetAfter
	}
	tr := newTracker("s", h.forgetAfter)
	var wallStep, backStep time.Duration
	var sinceStart time.Duration // when the process that polls began
	for i, s := range h.steps {
		if s.wallStep != 0 {
			wallStep = s.wallStep
		}
		if s.backStep != 0 {
			backStep = s.backStep
		}
		now := func(at time.Duration) instant {
			return instant{wall: t0.Add(at + wallStep), mono: at - sinceStart}
		}
		if s.restart {
			sinceStart = s.at
			tr = restarted(t, tr, now(s.at))
		}
		if s.failed {
			tr.fail()
			continue
		}
		poll := &drivers.Poll{Members: s.rows, DownTime: max(h.downTime, 0)}
		if h.downTime == 0 {
			poll.DownTime = time.Minute
		}
		if !h.noClock {
			poll.Now = t0.Add(s.at + backStep)
		}
		if s.changed != 0 {
			poll.Changed = map[string]time.Time{"g": now(s.changed).wall}
		}
		poll.Unknown = rows(s.unknown)
		if s.rejected != (drivers.Rejection{}) {
			poll.Rejected = []drivers.Rejection{s.rejected}
		}
		out := tr.apply(newReading(poll, now(s.at), now(s.at+s.took)))
		require.Equal(t, s.want, inWords(tr, out), "step %d, at %s", i+1, s.at)
		requireSound(t, tr)
	}
}

// restarted gives the tracker of the next process, which knows what this one wrote down.
func restarted(t *testing.T, tr *tracker, now instant) *tracker {
	t.Helper()
	store := testStore(t, t.TempDir())
	require.NoError(t, store.save(tr.memory()))
	next := newTracker(tr.source, tr.forgetAfter)
	m := store.load(tr.source, now.wall, tr.forgetAfter)
	require.NotNil(t, m)
	next.remember(m, now)
	return next
}

// requireSound checks what must be true of a tracker at any time.
func requireSound(t *testing.T, tr *tracker) {
	t.Helper()
	require.Len(t, tr.records, len(tr.order))
	up, down, unknown := 0, 0, 0
	for i, rec := range tr.order {
		require.Same(t, rec, tr.records[rec.member.Key()])
		require.False(t, rec.since.isZero())
		require.Nil(t, rec.row)
		require.True(t, !rec.fenced || rec.forced() && rec.state == Down, "fenced")
		require.True(t, i == 0 || byKey(tr.order[i-1], rec) < 0, "order")
	}
	for _, g := range tr.groups {
		up, down, unknown = up+g.up, down+g.down, unknown+g.unknown
	}
	require.Equal(t, len(tr.order), up+down+unknown)
	require.Equal(t, unknown, tr.unknown)
}

func inWords(tr *tracker, out *outcome) string {
	var events, states []string
	for _, e := range out.events {
		words := fmt.Sprintf("%s %s", e.Type, nameOf(&e.Member))
		if e.HasLatency {
			words += " " + e.Latency.String()
		}
		events = append(events, words)
	}
	for _, m := range tr.members(true) {
		state := fmt.Sprintf("%s=%s", nameOf(&m.Member), m.State)
		if m.Fenced {
			state += "(fenced)"
		}
		states = append(states, state)
	}
	if len(events) == 0 {
		return strings.Join(states, " ")
	}
	return strings.TrimSpace(strings.Join(events, ", ") + "; " + strings.Join(states, " "))
}

func nameOf(m *drivers.Member) string {
	if m.Group == "g" {
		return m.Name
	}
	return m.Group + "/" + m.Name
}

// rows makes the rows of a poll. With words like "a:up:beat=10s:rostered b:down".
func rows(words string) []drivers.Member {
	var members []drivers.Member
	for word := range strings.FieldsSeq(words) {
		members = append(members, row(word))
	}
	return members
}

func row(word string) drivers.Member {
	parts := strings.Split(word, ":")
	m := drivers.Member{Group: "g", Name: parts[0]}
	if group, name, ok := strings.Cut(parts[0], "/"); ok {
		m.Group, m.Name = group, name
	}
	for _, part := range parts[1:] {
		attr, val, _ := strings.Cut(part, "=")
		set, ok := map[string]func(){
			"up":       func() { m.Up = true },
			"down":     func() { m.Up = false },
			"rostered": func() { m.Rostered = true },
			"forced":   func() { m.ForcedDown = drivers.FlagYes },
			"unforced": func() { m.ForcedDown = drivers.FlagNo },
			"disabled": func() { m.Enabled = drivers.FlagNo },
			"enabled":  func() { m.Enabled = drivers.FlagYes },
			"beat":     func() { m.LastHeartbeat = t0.Add(duration(val)) },
			"died":     func() { m.Died = t0.Add(duration(val)) },
			"session":  func() { m.SessionTimeout = duration(val) },
			"binary":   func() { m.Binary = val },
			"zone":     func() { m.Zone = val },
			"uuid":     func() { m.UUID = val },
			"version":  func() { m.Version = val },
			"reason":   func() { m.DisabledReason = val },
		}[attr]
		if !ok {
			panic("no such attribute in a test: " + part)
		}
		set()
	}
	return m
}

func duration(s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		panic(err)
	}
	return d
}
