package alertmanager

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"time"
)

const (
	// maxBatch is the maximum number of alerts in a post, as in Prometheus.
	maxBatch = 256
	// maxRefused is the maximum number of refused alerts that are remembered.
	maxRefused = 10_000
)

// A delivery is the last accepted post of an alert that is firing.
type delivery struct {
	until     time.Time // when its validity ends, by this machine's clock
	end       time.Time // the same by the Alertmanager's clock, as that was estimated then
	startedAt string    // which run of the Alertmanager accepted it: see readStatus
}

// A refusal is a version of an alert that the Alertmanager has refused, and why.
type refusal struct {
	alert *Alert
	why   *failure
}

// flush posts what is queued. After a failure, what was not posted stays queued.
func (c *Client) flush(ctx context.Context) *failure {
	if known, hasHint := c.clock.isKnown(); !known && !hasHint {
		// Any answer may show that the Alertmanager's clock is another one. If there is none, a post would fail as well.
		if f := c.probe(ctx); f != nil && (f.reason == reasonConnect || f.reason == reasonTimeout) {
			c.series.errors[f.reason].Add(float64(min(c.queued(), maxBatch)))
			return f
		}
	}
	active := map[string]map[string]bool{}
	for {
		batch := c.take()
		if len(batch) == 0 {
			return nil
		}
		batch = c.removeResolvedElsewhere(ctx, batch, active)
		posted := c.clock.sample(time.Now())
		left, f := c.deliver(ctx, batch)
		if f == nil {
			left, f = c.confirm(ctx, batch, posted)
		}
		if f != nil {
			c.series.errors[f.reason].Add(float64(len(left)))
			c.putBack(left)
			return f
		}
	}
}

// deliver posts alerts, and returns those that have to be posted again, with the reason. Alertmanager does not say which
// alerts of a batch it refuses, and accepts the others: to find out, deliver posts each half of the batch separately.
func (c *Client) deliver(ctx context.Context, batch []*Alert) ([]*Alert, *failure) {
	if len(batch) == 0 {
		return nil, nil
	}
	now := c.clock.sample(time.Now())
	f := c.post(ctx, batch, now)
	switch {
	case f == nil:
		c.recordAccepted(batch, now)
		return nil, nil
	case !f.content:
		return batch, f
	case len(batch) == 1:
		c.recordRefused(batch[0], f)
		return nil, nil
	}
	half := len(batch) / 2
	if left, f := c.deliver(ctx, batch[:half]); f != nil {
		return append(slices.Clip(left), batch[half:]...), f
	}
	return c.deliver(ctx, batch[half:])
}

func (c *Client) post(ctx context.Context, batch []*Alert, now clockSample) *failure {
	body, err := encode(batch, now, c.validity)
	if err != nil {
		return &failure{reason: reasonRejected, err: err}
	}
	f := c.do(ctx, http.MethodPost, c.alertsURL, body, nil)
	if f != nil && f.tooLarge && len(batch) == 1 && len(body) < minTooLarge {
		f.content = false // The alert is not the reason.
	}
	return f
}

// recordAccepted counts alerts that the Alertmanager has accepted, and remembers those that are firing.
func (c *Client) recordAccepted(batch []*Alert, posted clockSample) {
	now := time.Now()
	d := delivery{until: posted.local.Add(c.validity), end: posted.now.Add(c.validity), startedAt: c.startedAt}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range batch {
		delete(c.refused, a.key)
		if !a.Detected.IsZero() {
			c.series.latency.Observe(max(0, now.Sub(a.Detected)).Seconds())
			a.Detected = time.Time{} // It may be posted again.
		}
		if !a.fires() {
			delete(c.accepted, a.key)
			continue
		}
		c.accepted[a.key] = d
		if c.nextExpiry.IsZero() || d.until.Before(c.nextExpiry) {
			c.nextExpiry = d.until
		}
	}
	c.series.sent.Add(float64(len(batch)))
}

// recordRefused drops an alert that the Alertmanager has refused, and logs the first refusal.
func (c *Client) recordRefused(a *Alert, f *failure) {
	c.series.errors[f.reason].Inc()
	c.series.dropped.Inc()
	c.mu.Lock()
	_, again := c.refused[a.key]
	if len(c.refused) >= maxRefused {
		clear(c.refused)
	}
	c.refused[a.key] = refusal{a, f}
	c.mu.Unlock()
	if !again {
		c.logger.Warn("Alertmanager refused an alert, which is dropped until it changes", "labels", a.Labels, "err", f.err)
	}
}

// readStatus reads the answer to a probe, and fails if it is not Alertmanager's: other web servers may answer every path. It
// returns when the Alertmanager was started, which it writes in the same way for as long as it runs.
func readStatus(r io.Reader) (startedAt string, err error) {
	var status struct {
		VersionInfo map[string]string `json:"versionInfo"`
		Uptime      string            `json:"uptime"`
	}
	if err := json.NewDecoder(r).Decode(&status); err != nil || status.VersionInfo == nil {
		return "", errNotAlertmanager
	}
	return status.Uptime, nil
}
