package check

import (
	"fmt"
	"time"

	"servicegroup_exporter/collector/tracker"
	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
)

// suspicion returns the finding about how soon a silent member is suspected. It returns nil if there is nothing to say: suspicion is turned
// off, the margin alone is as long as the heartbeat timeout, as with short timeouts, or it is not known how often members report.
func suspicion(r *sourceResult, settings config.Suspicion, scrapeInterval time.Duration) *drivers.Finding {
	if !settings.Enabled || r.interval == 0 || time.Duration(settings.Margin) >= r.heartbeat {
		return nil
	}
	const subject = "suspicion"
	every, by := scrapeInterval, "scrapes"
	if r.pollInterval > 0 && r.pollInterval < every {
		every, by = r.pollInterval, "polls"
	}
	interval := r.interval.Round(100 * time.Millisecond)
	rule := tracker.Suspicion{Enabled: true, Margin: time.Duration(settings.Margin)}
	limit, longest := rule.Limit(interval), rule.Longest(interval, every)
	var f drivers.Finding
	switch {
	case limit >= r.heartbeat:
		f = drivers.Warning(subject, fmt.Sprintf("a member that reports every %s can't be suspected: its limit of %s is not less than the heartbeat timeout of %s",
			short(interval), short(limit), short(r.heartbeat)), "let the members report more often, or set suspicion.enabled of the source to false")
	case longest >= r.heartbeat:
		f = drivers.Warning(subject, fmt.Sprintf("%s every %s are too rare: a member that reports every %s can be silent for %s before it is suspected, and is down after %s",
			by, short(every), short(interval), short(longest), short(r.heartbeat)), "set poll_interval of the source, for example to 5s")
	default:
		f = drivers.OK(subject, "a member that reports every %s is suspected after a silence of at most %s, with %s every %s",
			short(interval), short(longest), by, short(every))
	}
	return &f
}
