package alertmanager

import (
	"context"
	"io"
	"net/http"
	"time"
)

const (
	// flushTimeout bounds the last attempt to post what still waits.
	flushTimeout = 2 * time.Second

	// The pauses after failures double from the shortest to the longest. Those that somebody has to put an end to, by
	// correcting the configuration on either side, are longer.
	minRetry, maxRetry         = 250 * time.Millisecond, 5 * time.Second
	minSlowRetry, maxSlowRetry = time.Second, 30 * time.Second
)

// sending is what the goroutine in Run knows.
type sending struct {
	// due is when the next request is to be made. While failing, none is made before.
	due     time.Time
	failing time.Time     // since when; zero: the newest request succeeded, or there was none
	pause   time.Duration // the newest one

	told    map[string]told // what the Alertmanager takes for firing, by key
	expires time.Time       // when the first of told may end
	started string          // when the Alertmanager says that it was started; empty: not known
}

// told is what an Alertmanager was last told of an alert that fires.
type told struct {
	until   time.Time // when that ends
	end     time.Time // the same by the Alertmanager's clock, as it was then
	started string    // which run of the Alertmanager was told
}

// Run posts what is sent until ctx ends, and then tries once more, for two seconds at most, to post what still waits. It
// returns nil.
func (c *Client) Run(ctx context.Context) error {
	work, cancel := outlive(ctx, flushTimeout)
	defer cancel()
	timer := time.NewTimer(0) // The first request finds out whether somebody is there, and what time it is for them.
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			if c.waiting() > 0 {
				c.note(c.flush(work))
			}
			return nil
		case <-c.wake:
		case <-timer.C:
		}
		timer.Reset(c.turn(work))
	}
}

// outlive gives a context that ends some time after its parent.
func outlive(parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(parent))
	stop := context.AfterFunc(parent, func() {
		timer := time.AfterFunc(d, cancel)
		context.AfterFunc(ctx, func() { timer.Stop() })
	})
	return ctx, func() { stop(); cancel() }
}

// turn makes the requests that are due, and returns how long nothing is to be done unless something is sent. However much
// that is, a pause is a pause.
func (c *Client) turn(ctx context.Context) time.Duration {
	s := &c.sending
	waiting := c.waiting() > 0
	if due := !time.Now().Before(s.due); due || waiting && s.failing.IsZero() {
		if waiting {
			c.note(c.flush(ctx))
		} else {
			c.note(c.probe(ctx))
		}
	}
	now := time.Now()
	c.expire(now)
	next := s.due
	if !s.expires.IsZero() && s.expires.Before(next) {
		next = s.expires
	}
	return max(0, next.Sub(now))
}

// note takes the outcome of requests: it says when there is to be another, and tells of it when it is news.
func (c *Client) note(f *failure) {
	s, now := &c.sending, time.Now()
	c.series.offset.Set(c.clock.read(now).offset.Seconds())
	if f == nil {
		if !s.failing.IsZero() {
			c.logger.Info("Alertmanager takes alerts again", "after", now.Sub(s.failing).Round(time.Millisecond))
		}
		s.failing, s.pause, s.due = time.Time{}, 0, now.Add(c.probeInterval)
		c.series.up.Set(1)
		c.series.lastSuccess.Set(float64(now.UnixNano()) / 1e9)
		return
	}
	if s.failing.IsZero() {
		s.failing = now
		c.logger.Warn("Alertmanager takes no alerts", "reason", string(f.reason), "err", f.err)
	}
	shortest, longest := minRetry, maxRetry
	if f.reason.slow() {
		shortest, longest = minSlowRetry, maxSlowRetry
	}
	s.pause = min(max(2*s.pause, shortest), longest)
	s.due = now.Add(s.pause)
	c.series.up.Set(0)
}

// probe asks the Alertmanager whether it is there, and so what time it is.
func (c *Client) probe(ctx context.Context) *failure {
	return c.do(ctx, http.MethodGet, c.status, nil, func(r io.Reader) (err error) {
		c.sending.started, err = readStatus(r)
		return err
	})
}

// expire forgets alerts that were not posted again in time, as the Alertmanager does.
func (c *Client) expire(now time.Time) {
	s := &c.sending
	if now.Before(s.expires) {
		c.series.firing.Set(float64(len(s.told)))
		return
	}
	s.expires = time.Time{}
	for key, t := range s.told {
		if !now.Before(t.until) {
			delete(s.told, key)
		} else if s.expires.IsZero() || t.until.Before(s.expires) {
			s.expires = t.until
		}
	}
	c.series.firing.Set(float64(len(s.told)))
}
