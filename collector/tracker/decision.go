package tracker

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"servicegroup_exporter/drivers"
)

// This file decides which members are in service and which are down. Metrics, rules, the bridge to Alertmanager, the status page and the
// dashboards show these decisions. None of them decides again.

// autoDisabled begins the reason of a service that was disabled by itself and not by an operator: Nova's libvirt driver does
// that when its hypervisor is gone.
const autoDisabled = "AUTO:"

// InService reports whether a member is meant to be up. A member that an operator has disabled is not. Neither is one that
// is forced down, unless it is fenced: a fencing agent forces down members that are dead already.
func InService(m *drivers.Member, fenced bool) bool {
	disabled := m.Enabled == drivers.FlagNo && !strings.HasPrefix(m.DisabledReason, autoDisabled)
	return !disabled && (m.ForcedDown != drivers.FlagYes || fenced)
}

// InService reports whether the member is meant to be up: see [InService].
func (m *Member) InService() bool { return InService(&m.Member, m.Fenced) }

// DecidedDown reports whether the member is in service and down by the last verdict on it. The verdict stays while its source,
// its group or its row can't be read. A member in grace was up.
func (m *Member) DecidedDown() bool { return m.state == Down && m.InService() }

// EndedFor is how long a decision is kept after it has ended. Alert rules look back this far for the last value of an exporter
// that can't be scraped, and must find there that the member is no longer down.
const EndedFor = time.Hour

// A Decision is that a member is down, or was within the last hour. A member whose binary or zone changes while it is down has
// two: one that has ended, with the old values, and one that lasts.
type Decision struct {
	Group, Name, Binary, Zone string
	// Since is the last proof of life, by this machine's clock: see [Member.DownSince]. It is zero if none is known, and once the
	// decision has ended.
	Since time.Time

	ended Instant // zero: it lasts
}

// Lasts reports whether the member is still down.
func (d *Decision) Lasts() bool { return d.ended.IsZero() }

// A decisionKey identifies a decision.
type decisionKey struct{ group, name, binary, zone string }

func (d *Decision) key() decisionKey { return decisionKey{d.Group, d.Name, d.Binary, d.Zone} }

// Decisions returns all decisions, sorted by group and name. They and the slice may change with the next poll.
func (t *Tracker) Decisions() []*Decision {
	if t.decided == nil && len(t.decisions) > 0 {
		t.decided = slices.SortedFunc(maps.Values(t.decisions), CompareDecisions)
	}
	return t.decided
}

// CompareDecisions orders decisions by group and name, and then by binary and zone.
func CompareDecisions(a, b *Decision) int {
	return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Binary, b.Binary),
		cmp.Compare(a.Zone, b.Zone))
}

// decideDown begins or ends the decision that a member is down. A member that is no longer known is not.
func (t *Tracker) decideDown(m *Member, isKnown bool, now Instant) {
	before := m.decision
	switch {
	case !isKnown || !m.DecidedDown():
		m.decision = nil
	case before == nil || before.Binary != m.Binary || before.Zone != m.Zone:
		m.decision = t.beginDecision(m)
	}
	if before != nil && before != m.decision {
		t.endDecision(before, now)
	}
	if m.decision != nil {
		m.decision.Since = time.Time{}
		if since, isKnown := m.DownSince(); isKnown {
			m.decision.Since = since
		}
	}
}

func (t *Tracker) beginDecision(m *Member) *Decision {
	d := &Decision{Group: m.Group, Name: m.Name, Binary: m.Binary, Zone: m.Zone}
	if ended := t.decisions[d.key()]; ended != nil {
		ended.ended = Instant{}
		d = ended
	} else {
		t.decisions[d.key()], t.decided = d, nil
	}
	t.decisionsChanged = true
	return d
}

// endDecision ends a decision. It is not kept if a backend with any content has made too many.
func (t *Tracker) endDecision(d *Decision, now Instant) {
	d.ended, d.Since, t.decisionsChanged = now, time.Time{}, true
	if len(t.decisions) > 2*t.opts.Limits.Members {
		t.dropDecision(d)
	}
}

func (t *Tracker) dropDecision(d *Decision) {
	delete(t.decisions, d.key())
	t.decided = nil
}

// Expire drops decisions that ended an hour ago.
func (t *Tracker) Expire(now Instant) {
	for _, d := range t.Decisions() {
		if !d.Lasts() && now.Sub(d.ended) >= EndedFor {
			t.dropDecision(d)
		}
	}
}

// The reasons for which a member is disabled, or forced down.
const (
	Disabled     = "disabled"      // by an operator
	AutoDisabled = "auto_disabled" // by the service itself
	ForcedDown   = "forced_down"   // by an operator or a fencing agent
)

// disabledBy returns [Disabled] or [AutoDisabled], or the empty string for a member that is enabled.
func disabledBy(m *drivers.Member) string {
	switch {
	case m.Enabled != drivers.FlagNo:
		return ""
	case strings.HasPrefix(m.DisabledReason, autoDisabled):
		return AutoDisabled
	default:
		return Disabled
	}
}

// DisabledBy returns [Disabled] or [AutoDisabled], or the empty string for a member that is enabled, and since when, as far
// as this program saw.
func (m *Member) DisabledBy() (reason string, since time.Time) {
	return disabledBy(&m.Member), m.disabledSince
}

// ForcedSince returns since when the member is forced down, as far as this program saw; zero: it is not.
func (m *Member) ForcedSince() time.Time { return m.forcedSince }

// noteDisabled keeps since when a member is disabled or forced down. Before is what [disabledBy] returned before the poll.
func (m *Member) noteDisabled(before string, now time.Time) {
	if by := disabledBy(&m.Member); by == "" {
		m.disabledSince = time.Time{}
	} else if m.disabledSince.IsZero() || by != before {
		m.disabledSince = now
	}
	if !m.forced() {
		m.forcedSince = time.Time{}
	} else if m.forcedSince.IsZero() {
		m.forcedSince = now
	}
}

// A member flaps when it died and recovered more than flapMost times within flapWindow.
const (
	flapMost   = 4
	flapWindow = 15 * time.Minute
)

// Flaps reports whether the member died and recovered more than 4 times within the last 15 minutes.
func (m *Member) Flaps(now Instant) bool {
	return len(m.changes) > flapMost && now.Sub(m.changes[0]) < flapWindow
}

// noteChange keeps when a member died or recovered.
func (m *Member) noteChange(at Instant) {
	m.Transitions++
	if len(m.changes) > flapMost {
		m.changes = slices.Delete(m.changes, 0, 1)
	}
	m.changes = append(m.changes, at)
}

// minAhead is by how much a heartbeat must be ahead of the backend's clock to be worth showing. Backends round times to
// whole seconds.
const minAhead = time.Second

// Ahead returns by how much the member's newest heartbeat was ahead of the backend's clock in the last poll, zero if it was
// not by more than a second.
func (t *Tracker) Ahead(m *Member) time.Duration {
	if ahead := m.LastHeartbeat.Sub(t.last.clock); !m.LastHeartbeat.IsZero() && ahead > minAhead {
		return ahead
	}
	return 0
}

const (
	// stalledFrom is how few members in service can be silent by chance.
	stalledFrom = 3
	// timeToReport is how long after an outage of a source its members are expected to have reported again. It is longer than
	// usual heartbeat timeouts.
	timeToReport = 2 * time.Minute
)

// Stalled reports whether heartbeats have stopped to arrive: at least three members are in service, the newest heartbeat is
// older than half of the heartbeat timeout, and no outage of the source has ended within the last two minutes. Then the
// path of the heartbeats is to be suspected, and soon all members will count as down. It returns false for ok if the source
// has no heartbeats.
func (t *Tracker) Stalled() (stalled, ok bool) { return t.stalled, t.hasHeartbeats }

func (t *Tracker) decideStalled(inService int) {
	t.hasHeartbeats = !t.newest.IsZero()
	recovering := !t.outageEnded.IsZero() && t.now.end.Sub(t.outageEnded) < timeToReport
	t.stalled = t.hasHeartbeats && !recovering && inService >= stalledFrom && t.now.clock.Sub(t.newest) > t.poll.DownTime/2
}
