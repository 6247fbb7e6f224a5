package bridge

import (
	"time"

	"servicegroup_exporter/config"
)

const (
	// fastResend is how often what is new is posted again, until the rules have had the time to fire too: what Prometheus
	// last said of an earlier outage of the same member may until then end the alert of this one.
	fastResend = 5 * time.Second
	// tellEnd is how long Alertmanager is told again and again that an alert is over, as its documentation asks.
	tellEnd = 5 * time.Minute
	// staleEnd is how long Prometheus repeats that an alert is over, also while the same alert fires anew and it does not
	// know yet.
	staleEnd = 15 * time.Minute
)

// A schedule says when alerts are to be posted.
type schedule struct {
	resend       time.Duration // how often, in the long run
	settle       time.Duration // how long an alert is new
	resolveAfter time.Duration // how long after its end Alertmanager is told of it; negative: never
}

func newSchedule(c *config.Alerting) *schedule {
	return &schedule{
		resend: time.Duration(c.ResendInterval), settle: 2 * c.RulesLag(), resolveAfter: time.Duration(c.ResolveAfter),
	}
}

// validity is how long a post is valid: some may be lost. Only then does Alertmanager resolve by itself.
func (s *schedule) validity() time.Duration { return 3 * s.resend }

// plan tells whether an alert is to be posted now, and if it is over, when it ended.
func (s *schedule) plan(e *entry, now time.Time) (end time.Time, post bool) {
	if e.over.IsZero() {
		return time.Time{}, s.isDue(e, now, now.Sub(e.known) < s.settle)
	}
	if s.resolveAfter < 0 || now.Sub(e.over) < s.resolveAfter {
		return time.Time{}, false
	}
	if e.ended.IsZero() {
		e.ended = now
		return now, true
	}
	return e.ended, s.isDue(e, now, false)
}

// isDue tells whether it is time. Half a tick early is better than half a tick late.
func (s *schedule) isDue(e *entry, now time.Time, isNew bool) bool {
	interval := s.resend
	if isNew {
		interval = min(interval, fastResend)
	}
	return e.sent.IsZero() || now.Sub(e.sent) >= interval-s.tick()/2
}

// othersKnow tells of an alert whether somebody else who ends it knows better: it is only held, and what Prometheus says
// can't be about an earlier outage, since the rules had the time to see this one too or the earlier one is long over.
func (s *schedule) othersKnow(e *entry, now time.Time) bool {
	return e.isHeld() && (e.blind.Sub(e.start) >= s.settle || now.Sub(e.start) >= staleEnd+s.settle)
}

// tick is how often to look whether anything is due.
func (s *schedule) tick() time.Duration { return min(s.resend, fastResend) / 2 }

// forgotten tells whether nobody will be told of an alert any more.
func (s *schedule) forgotten(e *entry, now time.Time) bool {
	if e.over.IsZero() {
		return false
	}
	return s.resolveAfter < 0 || !e.ended.IsZero() && now.Sub(e.ended) > tellEnd
}
