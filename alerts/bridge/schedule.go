package bridge

import (
	"time"

	"servicegroup_exporter/config"
)

const (
	// fastResend is the interval of posts until the rules have had the time to fire too. Until then, Prometheus may repeat
	// that an earlier alert about the same member is resolved, which ends this one until the next post.
	fastResend = 5 * time.Second
	// repeatEnd is how long the end of an alert is posted repeatedly, as Alertmanager's documentation asks.
	repeatEnd = 5 * time.Minute
	// prometheusRepeatsEnd is how long Prometheus repeats that an alert is resolved. It does so also while the same alert
	// fires again and Prometheus has not seen that yet.
	prometheusRepeatsEnd = 15 * time.Minute
)

// A schedule decides when alerts are posted.
type schedule struct {
	resend       time.Duration // the interval of posts
	settle       time.Duration // how long after its first post an alert is new, and posted every fastResend
	resolveAfter time.Duration // how long an alert must be over before its end is posted; negative: it is never posted
}

func newSchedule(c *config.Alerting) *schedule {
	return &schedule{
		resend: time.Duration(c.ResendInterval), settle: 2 * c.RulesLag(), resolveAfter: time.Duration(c.ResolveAfter),
	}
}

// validity returns how long a post is valid. Alertmanager resolves the alert when no post arrives for that long; two posts
// in a row may be lost.
func (s *schedule) validity() time.Duration { return 3 * s.resend }

// plan returns whether an alert is to be posted now, and, if it is over, with which end.
func (s *schedule) plan(e *entry, now time.Time) (end time.Time, post bool) {
	if e.over.IsZero() {
		return time.Time{}, s.isDue(e, now, now.Sub(e.firstPost) < s.settle)
	}
	if s.resolveAfter < 0 || now.Sub(e.over) < s.resolveAfter {
		return time.Time{}, false
	}
	if e.resolved.IsZero() {
		e.resolved = now
		return now, true
	}
	return e.resolved, s.isDue(e, now, false)
}

// isDue returns whether the interval since the last post is over. It allows half a tick, so that a post is early rather than
// late.
func (s *schedule) isDue(e *entry, now time.Time, isNew bool) bool {
	interval := s.resend
	if isNew {
		interval = min(interval, fastResend)
	}
	return e.lastPost.IsZero() || now.Sub(e.lastPost) >= interval-s.tick()/2
}

// yieldsToOthers returns whether a retained alert is over if another sender resolves it. That is so when the other's end
// can't be about an earlier alert: either the rules had the time to see this one, or Prometheus no longer repeats the end of
// an earlier one.
func (s *schedule) yieldsToOthers(e *entry, now time.Time) bool {
	return e.isRetained() && (e.retained.Sub(e.start) >= s.settle || now.Sub(e.start) >= prometheusRepeatsEnd+s.settle)
}

// tick returns the interval at which the bridge looks for alerts that are due.
func (s *schedule) tick() time.Duration { return min(s.resend, fastResend) / 2 }

// canForget returns whether an alert is over and will not be posted any more.
func (s *schedule) canForget(e *entry, now time.Time) bool {
	if e.over.IsZero() {
		return false
	}
	return s.resolveAfter < 0 || !e.resolved.IsZero() && now.Sub(e.resolved) > repeatEnd
}
