package alerts

import (
	"cmp"
	"maps"
	"slices"

	"servicegroup_exporter/config"
)

// alerting is the section of the configuration that the alerts are made from.
type alerting struct{ *config.Alerting }

// definitions are all alerts, in the order in which rule files have them.
func (c alerting) definitions() []definition {
	return slices.Concat(c.memberAlerts(), c.groupAlerts(), c.sourceAlerts(), c.exporterAlerts())
}

// Names are those of all alerts that there may be.
func Names() []string {
	c := alerting{new(config.DefaultAlerting())}
	var names []string
	for _, d := range c.definitions() {
		names = append(names, d.name)
	}
	return names
}

// severity is that of an alert, as the settings of a group or of the alert itself have it.
func (c alerting) severity(d *definition, g *config.AlertGroup) string {
	if d.name == MemberDown && g != nil && g.Severity != "" {
		return g.Severity
	}
	return cmp.Or(c.Severities[d.name], d.severity)
}

// labels are those that an alert's rule adds to those of the expression, as templates.
func (c alerting) labels(d *definition, g *config.AlertGroup) map[string]string {
	labels := map[string]string{"severity": c.severity(d, g), "scope": string(d.scope)}
	if d.name == MemberDown && c.HostLabel != "" {
		labels[c.HostLabel] = "{{ $labels.member }}"
	}
	maps.Copy(labels, c.Labels)
	return labels
}

// annotations are an alert's texts and links, as templates.
func (c alerting) annotations(d *definition) map[string]string {
	return map[string]string{
		"summary":       d.summary,
		"description":   d.describe,
		"runbook_url":   c.link("runbooks/" + d.name),
		"dashboard_url": c.dashboard(d),
	}
}
