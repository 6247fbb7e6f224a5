package alertmanager

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"time"
)

const (
	// maxBatch bounds the alerts of a post, as Prometheus does.
	maxBatch = 256
	// maxRefused bounds the memory of what was refused.
	maxRefused = 10_000
)

// flush posts everything that waits, or as much as it can: what is left waits on.
func (c *Client) flush(ctx context.Context) *failure {
	if !c.clock.isKnown() {
		// An answer of any kind tells the time; without one, alerts would fare no better.
		if f := c.probe(ctx); f != nil && (f.reason == reasonConnect || f.reason == reasonTimeout) {
			c.series.failed[f.reason].Add(float64(min(c.waiting(), maxBatch)))
			return f
		}
	}
	held := map[string]map[string]bool{}
	for {
		batch := c.take()
		if len(batch) == 0 {
			return nil
		}
		left, f := c.deliver(ctx, c.confirm(ctx, batch, held))
		if f != nil {
			c.series.failed[f.reason].Add(float64(len(left)))
			c.putBack(left)
			return f
		}
	}
}

// deliver posts alerts, and returns those that have to be posted again, with the reason. When some are refused, all
// others were taken; to find out which, each half is posted by itself.
func (c *Client) deliver(ctx context.Context, batch []entry) ([]entry, *failure) {
	if len(batch) == 0 {
		return nil, nil
	}
	now := c.clock.read(time.Now())
	f := c.post(ctx, batch, now)
	switch {
	case f == nil:
		c.delivered(batch, now)
		return nil, nil
	case !f.content:
		return batch, f
	case len(batch) == 1:
		c.refuse(batch[0], f)
		return nil, nil
	}
	half := len(batch) / 2
	if left, f := c.deliver(ctx, batch[:half]); f != nil {
		return append(slices.Clip(left), batch[half:]...), f
	}
	return c.deliver(ctx, batch[half:])
}

func (c *Client) post(ctx context.Context, batch []entry, now reading) *failure {
	body, err := encode(batch, now, c.validity)
	if err != nil {
		return &failure{reason: reasonRejected, err: err}
	}
	return c.do(ctx, http.MethodPost, c.alerts, body, nil)
}

// delivered counts what the Alertmanager has taken.
func (c *Client) delivered(batch []entry, posted reading) {
	s, now := &c.sending, time.Now()
	this := told{until: posted.local.Add(c.validity), end: posted.now.Add(c.validity), started: s.started}
	for _, e := range batch {
		if !e.detected.IsZero() {
			c.series.latency.Observe(max(0, now.Sub(e.detected)).Seconds())
		}
		if !e.alert.fires() {
			delete(s.told, e.key)
			continue
		}
		s.told[e.key] = this
		if s.expires.IsZero() || this.until.Before(s.expires) {
			s.expires = this.until
		}
	}
	c.series.sent.Add(float64(len(batch)))
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range batch {
		delete(c.refused, e.key)
	}
}

// refuse drops an alert that the Alertmanager does not take.
func (c *Client) refuse(e entry, f *failure) {
	c.series.failed[f.reason].Inc()
	c.series.dropped.Inc()
	c.mu.Lock()
	_, again := c.refused[e.key]
	if len(c.refused) >= maxRefused {
		clear(c.refused)
	}
	c.refused[e.key] = e.alert
	c.mu.Unlock()
	if !again {
		c.logger.Warn("Alertmanager refuses an alert, which is dropped until it changes", "labels", e.alert.Labels, "err", f.err)
	}
}

// same says whether two versions of an alert, with the same key, are posted the same.
func same(a, b *Alert) bool {
	return a.GeneratorURL == b.GeneratorURL && maps.Equal(a.Annotations, b.Annotations) &&
		a.Start.Equal(b.Start) && a.End.Equal(b.End)
}

// readStatus reads the answer to a probe: other web servers have pages everywhere. It gives when the Alertmanager was
// started, which for as long as it runs it writes in the same way.
func readStatus(r io.Reader) (started string, err error) {
	var status struct {
		VersionInfo map[string]string `json:"versionInfo"`
		Uptime      string            `json:"uptime"`
	}
	if err := json.NewDecoder(r).Decode(&status); err != nil || status.VersionInfo == nil {
		return "", errors.New("what answers is no Alertmanager")
	}
	return status.Uptime, nil
}
