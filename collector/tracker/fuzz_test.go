package tracker

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

// FuzzHistory turns any bytes into a history and checks what must be true of all histories: events agree with the states
// before and after, every death and recovery is counted, a failed poll changes nothing, and no latency is negative.
func FuzzHistory(f *testing.F) {
	f.Add([]byte("011000021 000111")) // back from the dead after a time out of reach
	f.Add([]byte("\x00\x01\x02\x03\x04\x05\x06\x07"))
	f.Add([]byte("\x11\xff\x22\x13\xf0\x44\x81\x92\xff\x03\x10\x20\x7f\x7f\x7f"))
	f.Fuzz(func(t *testing.T, script []byte) {
		tr := newTracker(hour)
		at := time.Duration(0)
		for len(script) >= 2 {
			at += time.Duration(script[0]) * sec
			if script[0]%5 == 4 {
				tr.ObserveFailure()
				script = script[1:]
				continue
			}
			n := min(int(script[1]%4), (len(script)-2)/2)
			poll := fuzzPoll(script[2:2+2*n], at, script[0]%3 == 0)
			script = script[2+2*n:]
			now := Instant{Wall: t0.Add(at), Mono: at}
			before := statesOf(tr)
			requireConsistent(t, before, tr.Observe(poll, now, now), statesOf(tr))
			requireSound(t, tr)
		}
	})
}

// fuzzPoll turns every two bytes into a row: the first is the member, the second its attributes.
func fuzzPoll(script []byte, at time.Duration, clock bool) *drivers.Poll {
	poll := &drivers.Poll{DownTime: mins}
	if clock {
		poll.Now = t0.Add(at)
	}
	for i := 0; i+1 < len(script); i += 2 {
		who, what := script[i], script[i+1]
		m := drivers.Member{Group: "g", Name: string('a' + rune(who%4)), Up: what&1 != 0, Rostered: who&8 != 0}
		if what&2 != 0 {
			m.LastHeartbeat = t0.Add(at - time.Duration(int8(what))*sec)
		}
		if what&4 != 0 && !m.Up {
			m.ForcedDown = drivers.FlagYes
		}
		if what&8 != 0 && !m.Up {
			m.Died = t0.Add(at - time.Duration(int8(who))*sec)
		}
		if what&0x40 != 0 {
			m.Enabled, m.Zone = drivers.FlagOf(who&16 != 0), string('y'+rune(who>>5%2))
		}
		switch what & 0xb0 {
		case 0x10:
			poll.Unknown = append(poll.Unknown, m)
		case 0x20:
			poll.Rejected = append(poll.Rejected, drivers.Rejection{Group: m.Group, Name: m.Name})
		default:
			poll.Members = append(poll.Members, m)
		}
	}
	return poll
}

func statesOf(tr *Tracker) map[drivers.Key]Member {
	states := make(map[drivers.Key]Member)
	for _, m := range tr.Members() {
		states[m.Key()] = *m
	}
	return states
}

func requireConsistent(t *testing.T, before map[drivers.Key]Member, out Changes, after map[drivers.Key]Member) {
	t.Helper()
	counted := make(map[drivers.Key]uint64)
	for _, e := range out.Events {
		require.GreaterOrEqual(t, e.Latency, time.Duration(0))
		was, is := before[e.Member.Key()], after[e.Member.Key()]
		switch e.Type {
		case EventDeath:
			counted[e.Member.Key()]++
			require.NotEqual(t, Down, was.State())
			require.Equal(t, Down, is.State())
		case EventRecovery:
			counted[e.Member.Key()]++
			require.NotEqual(t, Up, was.State())
			require.Equal(t, Up, is.State())
		case EventForcedDown:
			require.NotEqual(t, Down, was.State())
			require.Equal(t, drivers.FlagYes, is.ForcedDown)
		case EventForcedUp:
			require.Equal(t, drivers.FlagYes, was.ForcedDown)
			require.Equal(t, Up, is.State())
		case EventJoin:
			require.NotContains(t, before, e.Member.Key())
		case EventLeave, EventForgotten:
			require.NotContains(t, after, e.Member.Key())
		default:
			require.Fail(t, "unknown type of event", e.Type)
		}
	}
	for key, m := range after {
		require.Equal(t, before[key].Transitions+counted[key], m.Transitions)
		if was, ok := before[key]; ok && was.State() == Up && m.State() == Down {
			require.NotEmpty(t, out.Events, "no member goes down without an event")
		}
	}
}

// FuzzSaved reads any bytes as a saved state: they are refused, or they can be restored and saved again.
func FuzzSaved(f *testing.F) {
	good, err := json.Marshal(savedOf("s"))
	require.NoError(f, err)
	f.Add(good)
	f.Add([]byte(`{"version":1,"source":"s","last_poll":"2000-01-01T00:00:00Z","last_poll_backend_clock":"9999-12-31T00:00:00Z",` +
		`"gaps":[{}],"members":[{"group":"g","name":"a","state":"up","held":true,"since":"0001-01-01T00:00:01Z"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		saved, err := ParseSaved(data, "s")
		if err != nil {
			return
		}
		now := Instant{Wall: t0.Add(hour), Mono: sec}
		tr := newTracker(hour)
		tr.Restore(saved, now)
		changes := tr.Observe(&drivers.Poll{Members: rows("a:up b:down"), DownTime: mins}, now, now)
		requireSound(t, tr)
		for _, e := range changes.Events {
			require.GreaterOrEqual(t, e.Latency, time.Duration(0))
		}
		_, err = json.Marshal(tr.Save())
		require.NoError(t, err)
	})
}
