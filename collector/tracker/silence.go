package tracker

import (
	"time"

	"servicegroup_exporter/drivers"
)

// maxClockLead is by how much the clock of a member's machine may be ahead of this machine's before its time of death is not
// believed. It is more than machines that keep time differ by, and less than any session timeout in use.
const maxClockLead = 5 * time.Second

// silence returns for how long a member that looks dead has given no proof of life. If the poll being observed is the one
// that sees it die, that is the detection latency. It returns false when nothing that can be true is known, as with a
// heartbeat in the future.
//
// In backends without heartbeats the last proof of life is the removal of the member less the session timeout. The
// removal lies between the last poll that saw the member up and this one. If no watch reported the time of the
// removal, the earliest possible time is taken, so that the latency is never understated.
func (t *Tracker) silence(m *Member) (time.Duration, bool) {
	limit, limited := time.Duration(0), !m.lastUp.IsZero()
	if limited {
		limit = t.sinceRemoval(m) + timeoutOf(&m.Member, t.poll.DownTime)
	}
	switch {
	case m.state == Up && !m.heartbeat.IsZero() && t.clockWasSetAfter(m.lastUp):
		return 0, false // Its last heartbeat is by a clock that has been set since.
	case m.row != nil && !m.row.Died.IsZero():
		silent := t.now.end.Wall.Sub(m.row.Died)
		if limited {
			silent = min(silent, limit) // The last poll saw it up, whatever its machine's clock says.
		}
		return max(silent, 0), silent >= -maxClockLead
	case !m.heartbeat.IsZero():
		silent := t.now.clock.Sub(m.heartbeat) + t.now.end.Sub(t.now.start)
		return max(silent, 0), silent >= 0
	default:
		return limit, limited
	}
}

// sinceRemoval returns the longest time for which the member's presence can have ended.
func (t *Tracker) sinceRemoval(m *Member) time.Duration {
	since := max(t.now.end.Sub(m.lastUp), 0)
	changed, ok := t.poll.Changed[m.Group]
	if !ok || m.lastUp != t.last.start {
		return since // The member was not up in the last poll, so a change after that poll is not its removal.
	}
	if reported := t.now.end.Wall.Sub(changed); reported >= 0 && reported < since {
		return reported
	}
	return since
}

// timeoutOf returns for how long a member may be silent by the service's own rule, or its presence outlives it.
func timeoutOf(m *drivers.Member, downTime time.Duration) time.Duration {
	if m.SessionTimeout > 0 {
		return m.SessionTimeout
	}
	return downTime
}
