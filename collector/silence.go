package collector

import (
	"time"

	"servicegroup_exporter/drivers"
)

// diedSkew is by how much the clock of a member's machine may be ahead of ours before what it says about its death is
// not believed. It is more than machines that keep time differ by, and less than any session timeout in use.
const diedSkew = 5 * time.Second

// silence is how long a member that looks dead has given no proof of life: the detection latency, if this is the poll
// that sees it die. The row is nil where the backend no longer shows the member. It is false when nothing is known
// that can be true, as with a heartbeat in the future.
//
// In backends without heartbeats the last proof of life is the removal of the member less the session timeout. The
// removal lies between the last poll that saw the member up and this one; where no watch told when, the earlier is
// taken, so that the latency is never understated.
func silence(rec *record, row *drivers.Member, last instant, r *reading) (time.Duration, bool) {
	limit, limited := time.Duration(0), !rec.lastUp.isZero()
	if limited {
		limit = sinceRemoval(rec, last, r) + sessionTimeout(&rec.member, r.Poll)
	}
	switch {
	case row != nil && !row.Died.IsZero():
		silent := r.seen.wall.Sub(row.Died)
		if limited {
			silent = min(silent, limit) // it was there when we last looked, whatever its machine's clock says
		}
		return max(silent, 0), silent >= -diedSkew
	case !rec.heartbeat.IsZero():
		silent := r.now.Sub(rec.heartbeat) + r.seen.sub(r.start)
		return max(silent, 0), silent >= 0
	default:
		return limit, limited
	}
}

// sinceRemoval is how long ago the member's presence can have ended at most.
func sinceRemoval(rec *record, last instant, r *reading) time.Duration {
	since := max(r.seen.sub(rec.lastUp), 0)
	changed, ok := r.Changed[rec.member.Group]
	if !ok || rec.lastUp != last {
		return since // what the watch saw is not what happened to a member that had been in doubt before
	}
	if told := r.seen.wall.Sub(changed); told >= 0 && told < since {
		return told
	}
	return since
}

// sessionTimeout is how long a member's presence outlives it.
func sessionTimeout(m *drivers.Member, p *drivers.Poll) time.Duration {
	if m.SessionTimeout > 0 {
		return m.SessionTimeout
	}
	return p.DownTime
}
