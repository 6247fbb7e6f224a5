package tracker

import (
	"time"

	"servicegroup_exporter/drivers"
)

// A downTime is since when a member is down.
type downTime struct {
	// since is by this machine's wall clock: the last proof of life. For a member that was forced down while it was up, it
	// is the poll that saw that.
	since time.Time
	// known is false for a member of which nothing earlier than its first sight is known. It may have been down for longer.
	known bool
	// heartbeat was its newest heartbeat when since was decided, by the backend's clock.
	heartbeat time.Time
}

// DownSince returns since when the member is down by the last verdict on it, by this machine's wall clock: since its last proof
// of life, or, for a member that was forced down while it was up, since this program saw that. If isKnown is false, the
// member may have been down for longer: since is when this program saw it first, or saw it down first. The time is zero for a
// member whose last verdict is not that it is down. It is never in the future, and no clock that is set changes how long ago it is.
func (m *Member) DownSince() (since time.Time, isKnown bool) {
	if m.down == nil {
		return time.Time{}, false
	}
	return m.down.since, m.down.known
}

// downFrom returns since when a member is down that has turned out to be silent for some time. If isKnown is false, that time
// is not known.
func (t *Tracker) downFrom(m *Member, silent time.Duration, isKnown bool) *downTime {
	since := t.now.end.Wall.Round(0)
	if isKnown {
		since = since.Add(-silent)
	}
	return &downTime{since: since, known: isKnown, heartbeat: m.heartbeat}
}

// noteHeartbeat takes in the newest heartbeat of a member that is silent and was down before. There is one if the member was
// alive for a moment between two polls, or while it was forced down.
func (t *Tracker) noteHeartbeat(m *Member) {
	if m.down == nil || m.heartbeat.Equal(m.down.heartbeat) || t.clockWasSetAfter(m.lastUp) {
		return
	}
	silent, isKnown := t.silence(m)
	if isKnown {
		m.down = t.downFrom(m, silent, true)
	} else {
		m.down.heartbeat = m.heartbeat
	}
}

// followWallClock moves the times since which members are down or suspected when this machine's wall clock was set, so that each is still
// as long ago as it is.
func (t *Tracker) followWallClock() {
	if !t.polled {
		return
	}
	// Round(0): differences of times that have a monotonic part don't show that the wall clock was set.
	step := t.now.end.Wall.Round(0).Sub(t.last.end.Wall.Round(0)) - t.now.end.Sub(t.last.end)
	if step.Abs() < minStep {
		return
	}
	for _, m := range t.order {
		if m.down != nil {
			m.down = &downTime{since: m.down.since.Add(step), known: m.down.known, heartbeat: m.down.heartbeat}
		}
		if m.beats != nil && m.beats.suspicion != nil {
			s := m.beats.suspicion
			s.since, s.silentSince = s.since.Add(step), s.silentSince.Add(step)
		}
	}
}

// restoreDown returns since when a member is down that was saved. An earlier version did not save it. A time that is in the
// future, because the wall clock was set back between two runs, is not known.
func (s *savedMember) restoreDown(now Instant) *downTime {
	if stateOf(s.State) != Down {
		return nil
	}
	d := &downTime{since: s.DownSince, known: s.DownSinceKnown}
	if s.Fenced || s.ForcedDown != drivers.FlagYes {
		d.heartbeat = s.Heartbeat // Else it may have been alive while it was forced down.
	}
	if d.since.IsZero() {
		d.since, d.known = s.Since.Add(-s.Silent), s.HasSilent
	}
	if d.since.After(now.Wall) {
		d.since, d.known = now.Wall, false
	}
	return d
}
