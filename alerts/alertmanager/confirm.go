package alertmanager

import (
	"context"
	"slices"
	"time"
)

// tolerance is how far a posted time may be from the Alertmanager's clock without being posted again.
const tolerance = time.Second

// An Alertmanager accepts alerts that are over by its clock, and so drops them without a word. So the client asks it for one of the
// alerts that it has just accepted: the answer says whether that alert is active, and when the Alertmanager received it by its own
// clock. No proxy in between knows that time.

// confirm asks the Alertmanager for an alert of a batch that it has accepted, if it is time to. If the times that were posted are
// wrong, confirm posts the batch again. It returns what is left to be posted, as deliver does.
func (c *Client) confirm(ctx context.Context, batch []*Alert, posted clockSample) ([]*Alert, *failure) {
	batch = c.withoutRefused(batch)
	if len(batch) == 0 || !c.clock.mustAsk(posted.local) {
		return nil, nil
	}
	a := toConfirm(batch)
	received, f := c.receivedAt(ctx, a)
	now := time.Now()
	if f != nil {
		c.clock.asked(now)
		c.logger.Debug("Alertmanager could not be asked whether it has an alert that it has accepted", "err", f.err)
		return nil, nil // The alerts were accepted.
	}
	switch {
	case !received.IsZero():
		c.clock.asked(now)
		c.clock.observe(received, time.Millisecond, posted.local, now)
		c.noteListed(a, true)
		c.noteWrongDate(now)
		if c.postedRight(batch, posted) {
			return nil, nil
		}
		return c.deliver(ctx, batch)
	case !a.fires():
		return nil, nil // It has ended there, as it should. The next post may tell more.
	case posted.doubtful || c.unlisted:
		c.clock.asked(now)
		c.noteListed(a, false)
		return nil, nil
	}
	c.series.overOnArrival.Inc()
	c.logger.Warn("An alert was over when Alertmanager received it, and is posted again by Alertmanager's clock", "labels", a.Labels)
	c.clock.doubt()
	posted = c.clock.sample(time.Now())
	if left, f := c.deliver(ctx, batch); f != nil {
		return left, f
	}
	return c.confirm(ctx, batch, posted)
}

// withoutRefused returns the alerts of a batch that the Alertmanager has not refused.
func (c *Client) withoutRefused(batch []*Alert) []*Alert {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(batch), func(a *Alert) bool {
		_, refused := c.refused[a.key]
		return refused
	})
}

// toConfirm returns the alert of a batch to ask for: one that is firing, if there is one.
func toConfirm(batch []*Alert) *Alert {
	for _, a := range batch {
		if a.fires() {
			return a
		}
	}
	return batch[0]
}

// receivedAt returns when the Alertmanager last received an alert by its own clock, the zero time if the alert is not active there.
func (c *Client) receivedAt(ctx context.Context, a *Alert) (at time.Time, f *failure) {
	f = c.fetchActive(ctx, a.Labels, func(other *receivedAlert) {
		if other.Key() == a.key {
			at = other.Received
		}
	})
	return at, f
}

// postedRight returns whether a batch has the right times, by what is known of the Alertmanager's clock now.
func (c *Client) postedRight(batch []*Alert, posted clockSample) bool {
	if posted.doubtful {
		return false // It was posted without times.
	}
	wrong := c.clock.sample(posted.local).offset - posted.offset
	// An end in the Alertmanager's future does not count, even if it is only milliseconds ahead.
	ends := slices.ContainsFunc(batch, func(a *Alert) bool { return !a.fires() })
	return wrong.Abs() <= tolerance && (wrong >= 0 || !ends)
}

// noteListed logs when the Alertmanager begins not to list an alert that it has accepted, and when it lists them again.
func (c *Client) noteListed(a *Alert, listed bool) {
	if c.unlisted == !listed {
		return
	}
	c.unlisted = !listed
	if listed {
		c.logger.Info("Alertmanager lists the alerts again that it has accepted")
		return
	}
	c.logger.Warn("Alertmanager does not list an alert that it has accepted", "labels", a.Labels,
		"hint", "the URL must lead to one Alertmanager, not to a load balancer, and no proxy may answer in its place")
}

// noteWrongDate logs when the Date header of answers begins to be wrong.
func (c *Client) noteWrongDate(now time.Time) {
	off := c.clock.wrongDate(now)
	if off != 0 && !c.dateIsWrong {
		c.logger.Warn("The Date header of Alertmanager's answers is wrong and not used: a proxy has another clock", "ahead", off.Round(time.Second))
	}
	c.dateIsWrong = off != 0
}
