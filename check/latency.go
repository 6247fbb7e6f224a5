package check

import (
	"fmt"
	"time"

	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
)

// latency returns the finding about how long it takes at most from a member's last proof of life to the notification, and its
// parts.
func latency(r *sourceResult, alerting *config.Alerting, asked []alertmanagerResult) drivers.Finding {
	const subject = "latency"
	wait, until := time.Duration(alerting.ScrapeInterval), "the next scrape"
	switch {
	case r.watched:
		wait, until = 0, "a watch tells it"
	case r.pollInterval > 0 && r.pollInterval < wait:
		wait, until = r.pollInterval, "the next poll"
	}
	detected := r.heartbeat + wait
	text := fmt.Sprintf("a death is detected at most %s after the last proof of life (heartbeat timeout %s + %s until %s)",
		short(detected), short(r.heartbeat), short(wait), until) + notification(detected, alerting, asked)
	if !r.watched && r.pollInterval == 0 && wait > r.heartbeat/2 {
		return drivers.Warning(subject, text, fmt.Sprintf("set poll_interval of the source, for example to %s, so that a death does not wait for a scrape",
			short(max(r.heartbeat/10, time.Second).Round(time.Second))))
	}
	return drivers.OK(subject, "%s", text)
}

// notification describes the time to the notification of a death that is detected after some time.
func notification(detected time.Duration, alerting *config.Alerting, asked []alertmanagerResult) string {
	var groupWait time.Duration
	known := false
	for i := range asked {
		if asked[i].reachable {
			groupWait, known = max(groupWait, asked[i].groupWait), true
		}
	}
	switch {
	case known:
		return fmt.Sprintf(", and notified at most %s after it (+ %s group_wait of Alertmanager)", short(detected+groupWait), short(groupWait))
	case len(asked) > 0:
		return "; Alertmanager adds its group_wait, which it does not tell now"
	}
	lag := alerting.RulesLag()
	return fmt.Sprintf(", and seen by the rules at most %s after it (+ %s, the sum of scrape_interval and evaluation_interval); Alertmanager adds its "+
		"group_wait, which is not known because alerting.alertmanagers is empty", short(detected+lag), short(lag))
}
