package alertmanager

import (
	"context"
	"fmt"
	"slices"
)

// maxChecked is the maximum number of alerts in one check. A difference in labels mostly concerns all alerts.
const maxChecked = 8

// CheckLabels asks Alertmanager, for one firing alert of each name and at most eight, whether it has a second alert about
// the same member, group, source, host or zone. If it has, the labels from Prometheus' rules and those from this program differ, and
// every such alert notifies twice. A metric counts the checked alerts by the label that differs. The error says why
// Alertmanager could not be asked.
func (c *Client) CheckLabels(ctx context.Context, alerts []*Alert) error {
	counts := map[string]int{}
	var example map[string]string
	for _, a := range sample(alerts) {
		differing := map[string]bool{}
		if f := c.fetchActive(ctx, a.Labels, func(other *receivedAlert) { addDifferences(differing, a.Labels, other.Labels) }); f != nil {
			return fmt.Errorf("checking labels in %s: %w", c.name, f)
		}
		for label := range differing {
			counts[label]++
		}
		if len(differing) > 0 && example == nil {
			example = a.Labels
		}
	}
	c.recordMismatches(counts, example)
	return nil
}

// sample returns the first firing alert of each name, at most maxChecked. It leaves out alerts that have neither a source nor a
// host, because no other alert can be found by such labels.
func sample(alerts []*Alert) []*Alert {
	var found []*Alert
	seen := map[string]bool{}
	for _, a := range alerts {
		if name := a.Labels["alertname"]; a.fires() && a.Labels["source"]+a.Labels["host"] != "" && !seen[name] && len(found) < maxChecked {
			seen[name] = true
			found = append(found, a)
		}
	}
	return found
}

// addDifferences adds to differing the names of the labels in which two alerts differ.
func addDifferences(differing map[string]bool, a, b map[string]string) {
	for name, value := range a {
		if b[name] != value {
			differing[name] = true
		}
	}
	for name, value := range b {
		if a[name] != value {
			differing[name] = true
		}
	}
}

// recordMismatches sets the metric, and logs when the labels that differ are others than before.
func (c *Client) recordMismatches(counts map[string]int, example map[string]string) {
	c.checkMu.Lock()
	defer c.checkMu.Unlock()
	before, now := counted(c.mismatches), counted(counts)
	for label := range c.mismatches {
		if _, still := counts[label]; !still {
			counts[label] = 0
		}
	}
	c.mismatches = counts
	c.series.setMismatches(counts)
	switch {
	case slices.Equal(before, now):
	case len(now) == 0:
		c.logger.Info("The labels of rules and bridge agree again in Alertmanager")
	default:
		c.logger.Warn("The labels of rules and bridge differ: Alertmanager has two alerts about the same problem", "differ", now,
			"labels", example, "hint", "set external_labels as in prometheus.yml, and list in drop_labels what its alert_relabel_configs drop")
	}
}

// counted returns the labels with a count above zero, sorted.
func counted(counts map[string]int) []string {
	var labels []string
	for label, n := range counts {
		if n > 0 {
			labels = append(labels, label)
		}
	}
	slices.Sort(labels)
	return labels
}
