package alertmanager

import (
	"context"
	"io"
	"net/url"
	"time"
)

const (
	// flushTimeout bounds the last attempt to post what is queued.
	flushTimeout = 2 * time.Second

	// The pauses between failed requests double, from minRetry to maxRetry. They are longer for failures that last until a
	// person corrects the configuration of this program or of Alertmanager.
	minRetry, maxRetry         = 250 * time.Millisecond, 5 * time.Second
	minSlowRetry, maxSlowRetry = time.Second, 30 * time.Second
)

// Run posts queued alerts until ctx ends. It then tries once more, for at most two seconds, to post what is queued. It
// returns nil.
func (c *Client) Run(ctx context.Context) error {
	requests, cancel := outlive(ctx, flushTimeout)
	defer cancel()
	timer := time.NewTimer(0) // The first request finds out whether Alertmanager answers, and what its clock shows.
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			if c.queued() > 0 {
				c.record(c.flush(requests))
			}
			return nil
		case <-c.wake:
		case <-timer.C:
		}
		timer.Reset(c.makeRequests(requests))
	}
}

// outlive returns a context that ends some time after its parent.
func outlive(parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(parent))
	stop := context.AfterFunc(parent, func() {
		timer := time.AfterFunc(d, cancel)
		context.AfterFunc(ctx, func() { timer.Stop() })
	})
	return ctx, func() { stop(); cancel() }
}

// makeRequests makes the requests that are due, and returns the time until the next ones, unless alerts are sent before.
// After a failure, none are made before the pause ends, however many alerts are sent.
func (c *Client) makeRequests(ctx context.Context) time.Duration {
	queued := c.queued() > 0
	if due := !time.Now().Before(c.nextRequest); due || queued && c.failingSince.IsZero() {
		if queued {
			c.record(c.flush(ctx))
		} else {
			c.record(c.probe(ctx))
		}
	}
	now := time.Now()
	c.expire(now)
	next := c.nextRequest
	if !c.nextExpiry.IsZero() && c.nextExpiry.Before(next) {
		next = c.nextExpiry
	}
	return max(0, next.Sub(now))
}

// record records the outcome of requests: it plans the next one, sets the metrics, and logs when requests begin to fail or
// to succeed.
func (c *Client) record(f *failure) {
	now := time.Now()
	c.mu.Lock()
	c.failing = f
	c.mu.Unlock()
	c.series.offset.Set(c.clock.sample(now).offset.Seconds())
	if f == nil {
		c.failures.Update(nil)
		if !c.failingSince.IsZero() {
			c.logger.Info("Alertmanager accepts alerts again", "after", now.Sub(c.failingSince).Round(time.Millisecond))
		}
		c.failingSince, c.pause, c.nextRequest = time.Time{}, 0, now.Add(c.probeInterval)
		c.series.up.Set(1)
		c.series.lastSuccess.Set(float64(now.UnixNano()) / 1e9)
		return
	}
	if c.failingSince.IsZero() {
		c.failingSince = now
	}
	if failed, _ := c.failures.Update(f.err); failed {
		c.logger.Warn("Alertmanager does not accept alerts", "reason", string(f.reason), "err", f.err)
	}
	if f.reason == reasonConnect || f.reason == reasonTimeout {
		c.lost()
	}
	shortest, longest := minRetry, maxRetry
	if f.reason.needsCorrection() {
		shortest, longest = minSlowRetry, maxSlowRetry
	}
	c.pause = min(max(2*c.pause, shortest), longest)
	c.nextRequest = now.Add(c.pause)
	c.series.up.Set(0)
}

// probe requests Alertmanager's status.
func (c *Client) probe(ctx context.Context) *failure {
	return c.get(ctx, c.statusURL, url.Values{}, func(r io.Reader) (err error) {
		c.startedAt, err = readStatus(r)
		return err
	})
}

// expire forgets accepted alerts that were not posted again in time, as the Alertmanager does.
func (c *Client) expire(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !now.Before(c.nextExpiry) {
		c.nextExpiry = time.Time{}
		for key, d := range c.accepted {
			if !now.Before(d.until) {
				delete(c.accepted, key)
			} else if c.nextExpiry.IsZero() || d.until.Before(c.nextExpiry) {
				c.nextExpiry = d.until
			}
		}
	}
	c.series.firing.Set(float64(len(c.accepted)))
}
