package alertmanager

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// Who can't see any more whether something is over goes on to say that it fires. Others may see that it is over: of two
// programs like this one of which one is blind, the other, and by it Prometheus, which ends the alert. Each re-post of the
// blind one would let it fire again. Nobody tells senders what others have sent, but an alert that the Alertmanager took,
// that should still be valid, and that it does not have any more, was ended by somebody, unless the Alertmanager was
// restarted: it keeps no alerts.

// confirm takes out of a batch the held alerts that somebody else has ended. The answers about each source are kept for the
// batches of one flush.
func (c *Client) confirm(ctx context.Context, batch []entry, answers map[string]map[string]bool) []entry {
	return slices.DeleteFunc(batch, func(e entry) bool {
		t, ok := c.sending.told[e.key]
		if !e.alert.Held || !ok || t.started == "" {
			return false
		}
		source := e.alert.Labels["source"]
		active, ok := answers[source]
		if !ok {
			active = c.active(ctx, source)
			answers[source] = active
		}
		if active == nil || active[e.key] || t.started != c.sending.started || !c.valid(t) {
			return false
		}
		if c.ended != nil {
			c.ended(e.alert)
		}
		return true
	})
}

// valid says whether what the Alertmanager was told is so by its own clock, also if that was set meanwhile, and with time
// to spare: two clocks are never quite equal.
func (c *Client) valid(t told) bool {
	return t.end.Sub(c.clock.read(time.Now()).now) > c.validity/3
}

// active gives the keys of a source's alerts that the Alertmanager has and that have not ended, nil if it can't be asked:
// who does not know goes on as before. Only then it is asked when it was started, so that what it had forgotten when it
// gave the alerts shows.
func (c *Client) active(ctx context.Context, source string) map[string]bool {
	query := url.Values{"filter": {"source=" + quote(source)}}
	keys := map[string]bool{}
	f := c.do(ctx, http.MethodGet, c.alerts+"?"+query.Encode(), nil, func(r io.Reader) error { return readKeys(r, keys) })
	if f == nil {
		f = c.probe(ctx)
	}
	if f != nil {
		c.logger.Debug("Alertmanager could not be asked about held alerts", "source", source, "err", f.err)
		return nil
	}
	return keys
}

// readKeys reads the keys of alerts one by one: there may be many.
func readKeys(r io.Reader, keys map[string]bool) error {
	list := json.NewDecoder(r)
	_, err := list.Token()
	for err == nil && list.More() {
		var a wireAlert
		if err = list.Decode(&a); err == nil {
			keys[(&Alert{Labels: a.Labels}).Key()] = true
		}
	}
	if err != nil {
		return fmt.Errorf("reading alerts: %w", err)
	}
	return nil
}
