package alertmanager

import (
	"cmp"
	"context"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	// askPause is the time from an answer about the states of alerts to the next question.
	askPause = 5 * time.Second
	// statesValid is how long such an answer is used.
	statesValid = time.Minute
)

// A Delivery says whether an Alertmanager has a firing alert.
type Delivery string

// The deliveries.
const (
	Delivered Delivery = "delivered" // the Alertmanager has accepted it, and the post is still valid
	Waiting   Delivery = "waiting"   // it is about to be posted
	Failed    Delivery = "failed"    // the Alertmanager refused it, or requests to the Alertmanager fail
)

// A Status is what is known of a firing alert in one Alertmanager.
type Status struct {
	Delivery Delivery
	Reason   string // why the delivery failed
	// Known reports that the Alertmanager was asked about the alert, and that its answer is in the fields below. They are
	// empty if the Alertmanager notifies its receivers of the alert.
	Known       bool
	SilencedBy  []string // the IDs of silences
	InhibitedBy []string // the names of other alerts; the fingerprints of those that are not this program's
	MutedBy     []string // the names of time intervals
}

// states is what the Alertmanager has answered about the alerts of this program.
type states struct {
	at    time.Time         // when the last answer came; zero: none did
	byKey map[string]Status // of the alerts in it
}

// Statuses returns what is known of firing alerts, in their order. It asks the Alertmanager about them in the background, so
// that a later call knows more.
func (c *Client) Statuses(alerts []*Alert) []Status {
	select {
	case c.wanted <- struct{}{}:
	default:
	}
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	statuses := make([]Status, len(alerts))
	for i, a := range alerts {
		key := a.Key()
		if now.Sub(c.states.at) < statesValid {
			statuses[i] = c.states.byKey[key]
		}
		statuses[i].Delivery, statuses[i].Reason = c.delivery(key, now)
	}
	return statuses
}

// delivery returns whether the Alertmanager has an alert, and if the delivery failed, why. The caller has locked c.mu.
func (c *Client) delivery(key string, now time.Time) (d Delivery, reason string) {
	refused, isRefused := c.refused[key]
	switch accepted, ok := c.accepted[key]; {
	case ok && now.Before(accepted.until):
		return Delivered, ""
	case isRefused:
		return Failed, refused.why.Error()
	case c.failing != nil:
		return Failed, c.failing.Error()
	default:
		return Waiting, ""
	}
}

// Failure returns why the last request to the Alertmanager failed; empty: it succeeded, or there was none.
func (c *Client) Failure() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failing == nil {
		return ""
	}
	return c.failing.Error()
}

// followStates asks the Alertmanager about the states of this program's alerts while they are wanted, until ctx ends.
func (c *Client) followStates(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.wanted:
			c.askStates(ctx)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(askPause):
		}
	}
}

// askStates replaces the states by those that the Alertmanager has now. If it does not answer, the old ones stay for as long
// as they are valid.
func (c *Client) askStates(ctx context.Context) {
	byKey, names := map[string]Status{}, map[string]string{}
	f := c.fetch(ctx, []string{`alertname=~"ServiceGroup.+"`}, func(a *receivedAlert) {
		names[a.Fingerprint] = a.Labels["alertname"]
		byKey[a.Key()] = Status{
			Known: true, SilencedBy: a.Status.SilencedBy, InhibitedBy: a.Status.InhibitedBy, MutedBy: a.Status.MutedBy,
		}
	})
	if f != nil {
		c.logger.Debug("Alertmanager could not be asked which alerts are silenced or inhibited", "err", f.err)
		return
	}
	for _, status := range byKey {
		for i, fingerprint := range status.InhibitedBy {
			status.InhibitedBy[i] = cmp.Or(names[fingerprint], fingerprint)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.states = states{time.Now(), byKey}
}

// AlertURL returns the address of the page of Alertmanager that shows an alert.
func (c *Client) AlertURL(a *Alert) string { return c.pagesURL + "/#/alerts?filter=" + matchers(a) }

// NewSilenceURL returns the address of the page of Alertmanager with the form that silences an alert.
func (c *Client) NewSilenceURL(a *Alert) string {
	return c.pagesURL + "/#/silences/new?filter=" + matchers(a)
}

// SilenceURL returns the address of the page of Alertmanager that shows a silence.
func (c *Client) SilenceURL(id string) string {
	return c.pagesURL + "/#/silences/" + url.PathEscape(id)
}

// matchers returns all labels of an alert as matchers, encoded for an address. Alertmanager's pages do not decode "+".
func matchers(a *Alert) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(a.Labels)) {
		if value := a.Labels[name]; value != "" {
			all = append(all, name+"="+quote(value))
		}
	}
	return strings.ReplaceAll(url.QueryEscape("{"+strings.Join(all, ", ")+"}"), "+", "%20")
}
