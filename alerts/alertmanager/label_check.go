package alertmanager

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// maxChecked bounds the requests of a check. What is wrong with labels is mostly wrong with all alerts.
const maxChecked = 8

// checked is what checks found.
type checked struct {
	mu     sync.Mutex
	counts map[string]int // alerts with a second one that differs in a label, by label, once seen for ever
}

// Check asks Alertmanager for one firing alert of each name, up to eight, whether it holds a second one about the same:
// then Prometheus and this program don't give the same labels, and everybody is told twice. The metric counts the alerts
// for each label that differs. It returns why Alertmanager could not be asked.
func (c *Client) Check(ctx context.Context, alerts []*Alert) error {
	counts := map[string]int{}
	var example map[string]string
	for _, a := range sample(alerts) {
		held, f := c.held(ctx, a)
		if f != nil {
			return fmt.Errorf("checking labels in %s: %w", c.name, f)
		}
		differ := differences(a.Labels, held)
		for _, label := range differ {
			counts[label]++
		}
		if len(differ) > 0 && example == nil {
			example = a.Labels
		}
	}
	c.compare(counts, example)
	return nil
}

// sample gives the first firing alert of each name. One that names no source is not about anything in particular.
func sample(alerts []*Alert) []*Alert {
	var found []*Alert
	seen := map[string]bool{}
	for _, a := range alerts {
		if name := a.Labels["alertname"]; a.fires() && a.Labels["source"] != "" && !seen[name] && len(found) < maxChecked {
			seen[name] = true
			found = append(found, a)
		}
	}
	return found
}

// held gives the labels of what Alertmanager holds about the same as an alert, itself included.
func (c *Client) held(ctx context.Context, a *Alert) ([]map[string]string, *failure) {
	query := url.Values{}
	for _, name := range []string{"alertname", "source", "group", "member"} {
		if value := a.Labels[name]; value != "" {
			query.Add("filter", name+"="+quote(value))
		}
	}
	var found []wireAlert
	f := c.do(ctx, http.MethodGet, c.alerts+"?"+query.Encode(), nil, func(r io.Reader) error {
		if err := json.NewDecoder(r).Decode(&found); err != nil {
			return fmt.Errorf("reading alerts: %w", err)
		}
		return nil
	})
	labels := make([]map[string]string, len(found))
	for i := range found {
		labels[i] = found[i].Labels
	}
	return labels, f
}

// quote writes a value as both of Alertmanager's parsers of matchers read it.
func quote(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(value) + `"`
}

// differences gives the names of the labels in which alerts that are held differ from an alert.
func differences(labels map[string]string, held []map[string]string) []string {
	differ := map[string]bool{}
	for _, other := range held {
		for name, value := range labels {
			if other[name] != value {
				differ[name] = true
			}
		}
		for name, value := range other {
			if labels[name] != value {
				differ[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(differ))
}

// compare sets the metric, and tells of what is news.
func (c *Client) compare(counts map[string]int, example map[string]string) {
	c.checked.mu.Lock()
	defer c.checked.mu.Unlock()
	before := labelsOf(c.checked.counts)
	now := labelsOf(counts)
	for label := range c.checked.counts {
		if _, still := counts[label]; !still {
			counts[label] = 0
		}
	}
	c.checked.counts = counts
	c.series.setMismatches(counts)
	switch {
	case slices.Equal(before, now):
	case len(now) == 0:
		c.logger.Info("Alertmanager holds no second alerts with other labels any more")
	default:
		c.logger.Warn("Alertmanager holds a second alert about the same with other labels", "differ", now, "labels", example,
			"hint", "make external_labels equal to external_labels of Prometheus, and drop_labels name what its alert_relabel_configs drop")
	}
}

// labelsOf gives the labels that are counted.
func labelsOf(counts map[string]int) []string {
	var labels []string
	for label, n := range counts {
		if n > 0 {
			labels = append(labels, label)
		}
	}
	slices.Sort(labels)
	return labels
}
