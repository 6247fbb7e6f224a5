package alertmanager

import (
	"context"
	"slices"
	"time"
)

// An exporter that can't read a source keeps its alerts firing. Another exporter may read that source and see that the
// member is up again; by its metrics, Prometheus resolves the alert. Each repetition of the first exporter would then fire
// the alert again. Alertmanager does not tell a sender what others have sent. But if an Alertmanager has accepted an alert,
// the post is still valid, and the alert is not active any more, then another sender has resolved it. The exception is an
// Alertmanager that was restarted, because it does not keep alerts.

// removeResolvedElsewhere removes from a batch the retained alerts that another sender has resolved. It adds to active the keys of
// each source's active alerts, and under no source the keys of the alerts about hosts, so that one flush asks for them once.
func (c *Client) removeResolvedElsewhere(ctx context.Context, batch []*Alert, active map[string]map[string]bool) []*Alert {
	if c.unlisted {
		return batch // Alerts that are not listed may be active.
	}
	return slices.DeleteFunc(batch, func(a *Alert) bool {
		d, ok := c.accepted[a.key]
		if !a.Retained || !ok || d.startedAt == "" {
			return false
		}
		source := a.Labels["source"]
		keys, ok := active[source]
		if !ok {
			about := map[string]string{"source": source}
			if source == "" { // All alerts about hosts have the same name.
				about["alertname"] = a.Labels["alertname"]
			}
			keys = c.activeKeys(ctx, about)
			active[source] = keys
		}
		if keys == nil || keys[a.key] || d.startedAt != c.startedAt || !c.isValid(d) || c.clock.mayBeSet() {
			return false
		}
		if c.resolvedElsewhere != nil {
			c.resolvedElsewhere(a)
		}
		return true
	})
}

// isValid returns whether a delivery is still valid by the Alertmanager's clock, even if that clock was set since. It leaves
// a margin, because two clocks are never exactly equal.
func (c *Client) isValid(d delivery) bool {
	return d.end.Sub(c.clock.sample(time.Now()).now) > c.validity/3
}

// activeKeys returns the keys of the active alerts with these labels, or nil if the Alertmanager does not return them. It requests
// the alerts first and then the status, so that a restart before the list of alerts was made shows in the status.
func (c *Client) activeKeys(ctx context.Context, labels map[string]string) map[string]bool {
	keys := map[string]bool{}
	f := c.fetchActive(ctx, labels, func(a *receivedAlert) { keys[a.Key()] = true })
	if f == nil {
		f = c.probe(ctx)
	}
	if f != nil {
		c.logger.Debug("Alertmanager could not be asked which alerts other senders have resolved", "labels", labels, "err", f.err)
		return nil
	}
	return keys
}
