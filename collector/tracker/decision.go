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

// A Decision is that a member is down, or was within the last hour, or the same of a member that is suspected. A member whose binary or
// zone changes meanwhile has two: one that has ended, with the old values, and one that lasts.
type Decision struct {
	Group, Name, Binary, Zone string
	// Since is the last proof of life, by this machine's clock: see [Member.DownSince]. It is zero if none is known, and once the
	// decision has ended.
	Since time.Time

	ended Instant // zero: it lasts
}

// Lasts reports whether the member is still down, or suspected.
func (d *Decision) Lasts() bool { return d.ended.IsZero() }

// A decisionKey identifies a decision.
type decisionKey struct{ group, name, binary, zone string }

func (d *Decision) key() decisionKey { return decisionKey{d.Group, d.Name, d.Binary, d.Zone} }

// decisions are the decisions of one kind.
type decisions struct {
	all    map[decisionKey]*Decision
	sorted []*Decision // the same; nil: not sorted yet
}

func newDecisions() decisions { return decisions{all: make(map[decisionKey]*Decision)} }

// sort returns all decisions, sorted by group and name.
func (ds *decisions) sort() []*Decision {
	if ds.sorted == nil && len(ds.all) > 0 {
		ds.sorted = slices.SortedFunc(maps.Values(ds.all), CompareDecisions)
	}
	return ds.sorted
}

func (ds *decisions) drop(d *Decision) {
	delete(ds.all, d.key())
	ds.sorted = nil
}

// Decisions returns all decisions that members are down, sorted by group and name. They and the slice may change with the next poll.
func (t *Tracker) Decisions() []*Decision { return t.down.sort() }

// Suspicions returns all decisions that members in service are suspected, like [Tracker.Decisions].
func (t *Tracker) Suspicions() []*Decision { return t.suspected.sort() }

// CompareDecisions orders decisions by group and name, and then by binary and zone.
func CompareDecisions(a, b *Decision) int {
	return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Binary, b.Binary),
		cmp.Compare(a.Zone, b.Zone))
}

// decideDown begins or ends the decision that a member is down. A member that is no longer known is not.
func (t *Tracker) decideDown(m *Member, isKnown bool, now Instant) {
	m.decision = t.newDecision(&t.down, m.decision, m, isKnown && m.DecidedDown(), now)
	if m.decision != nil {
		m.decision.Since = time.Time{}
		if since, isKnown := m.DownSince(); isKnown {
			m.decision.Since = since
		}
	}
}

// decideSuspected begins or ends the decision that a member is in service and suspected. A member that is no longer known is not.
func (t *Tracker) decideSuspected(m *Member, isKnown bool, now Instant) {
	if b := m.beats; b != nil && (b.suspicion != nil || b.decision != nil) {
		b.decision = t.newDecision(&t.suspected, b.decision, m, isKnown && b.suspicion != nil && m.InService(), now)
		if b.decision != nil {
			b.decision.Since = b.suspicion.silentSince
		}
	}
}

// newDecision returns the decision about a member, nil if it is not what the decisions are about. It ends the decision before if that is
// another one.
func (t *Tracker) newDecision(ds *decisions, before *Decision, m *Member, holds bool, now Instant) *Decision {
	decision := before
	switch {
	case !holds:
		decision = nil
	case before == nil || before.Binary != m.Binary || before.Zone != m.Zone:
		decision = t.beginDecision(ds, m)
	}
	if before != nil && before != decision {
		t.endDecision(ds, before, now)
	}
	return decision
}

func (t *Tracker) beginDecision(ds *decisions, m *Member) *Decision {
	d := &Decision{Group: m.Group, Name: m.Name, Binary: m.Binary, Zone: m.Zone}
	if ended := ds.all[d.key()]; ended != nil {
		ended.ended = Instant{}
		d = ended
	} else {
		ds.all[d.key()], ds.sorted = d, nil
	}
	t.decisionsChanged = true
	return d
}

// endDecision ends a decision. It is not kept if a backend with any content has made too many.
func (t *Tracker) endDecision(ds *decisions, d *Decision, now Instant) {
	d.ended, d.Since, t.decisionsChanged = now, time.Time{}, true
	if len(ds.all) > 2*t.opts.limits.members {
		ds.drop(d)
	}
}

// Expire drops decisions that ended an hour ago.
func (t *Tracker) Expire(now Instant) {
	for _, ds := range []*decisions{&t.down, &t.suspected} {
		for _, d := range ds.sort() {
			if !d.Lasts() && now.Sub(d.ended) >= EndedFor {
				ds.drop(d)
			}
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
