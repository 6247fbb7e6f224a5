// Package alerts defines every alert of this program once: its name, its labels and annotations, and the expression that
// Prometheus evaluates. The rule files are generated from these definitions. The bridge uses the same labels and annotations
// for the alerts that it posts, so that Alertmanager merges both.
//
// Each definition and docs/alerting.md say why a threshold is what it is.
//
// Begin with the type definition, and with the definitions in one of the files set_*.go:
//
//   - rules.go makes the rules, and variant.go their expressions, which differ between groups with settings of their own. recording.go
//     has what several of them need, and write.go writes the files.
//   - builder.go gives an alert of the bridge the labels and annotations of the rule, and evaluate.go has the conditions of alerts
//     about groups and sources in Go.
//   - words.go has the numbers in descriptions, links.go the links, hostanswers.go the annotation host_answers, and hostquery.go asks
//     Prometheus for it.
//
// The files in tests are for promtool: in each case series go in, and alerts come out. live_test.go runs the rules with exporters and a
// Prometheus, and alertmanager_notify_test.go our example of routes in an Alertmanager.
package alerts

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"servicegroup_exporter/config"
)

// The names of the alerts that the bridge posts too.
const (
	ZoneDown        = "ServiceGroupZoneDown"
	HostDown        = "ServiceGroupHostDown"
	MemberDown      = "ServiceGroupMemberDown"
	MemberSuspected = "ServiceGroupMemberSuspected"
	Degraded        = "ServiceGroupDegraded"
	Outage          = "ServiceGroupOutage"
	BelowMinimum    = "ServiceGroupBelowMinimum"
	MassFailure     = "ServiceGroupMassFailure"

	SourceProblem = "ServiceGroupSourceProblem"
)

// SourceProblemHold is how long a problem of a source must last before its alert fires, by the rules and by the bridge. What is absent
// is often just being made: a new store is empty until the first member joins.
const SourceProblemHold = 5 * time.Minute

// The values of the label severity.
const (
	severityCritical = "critical" // pages a person
	severityWarning  = "warning"  // is looked at within a day
	severityInfo     = "info"     // is shown, but notifies only a chat
	severityNone     = "none"     // notifies no person
)

// A scope is the kind of thing that an alert is about. It is the value of the label scope, which routes and inhibitions of
// Alertmanager match.
type scope string

const (
	scopeZone     scope = "zone"     // labels source and zone
	scopeHost     scope = "host"     // label host; zone where it has one
	scopeMember   scope = "member"   // labels source, group and member
	scopeGroup    scope = "group"    // labels source and group
	scopeSource   scope = "source"   // label source
	scopeExporter scope = "exporter" // this program itself; labels differ
)

// A definition is one alert.
type definition struct {
	name     string
	scope    scope
	severity string // the default
	// expr is the expression, with words in braces: see [alerting.replacements].
	expr      string
	hold      time.Duration // "for"
	keep      time.Duration // "keep_firing_for"
	summary   string        // a template over the alert's labels, as in Prometheus
	describe  string        // the description, also a template, with words in braces: see [alerting.wordTemplates]
	dashboard string        // uid of the Grafana dashboard to link to; empty: that of the scope
	// parameter returns whether a group's settings change the alert; nil: no settings do.
	parameter parameter
	// ofGroup returns the severity that a group's settings give the alert; nil: none can.
	ofGroup func(g *config.AlertGroup) string
	// hasHost reports that the alert is about one machine, and has the label "host".
	hasHost bool
	// all selects series of all groups for which the alert fires, with {these} for their matchers. Empty, with a parameter: the
	// alert is only for groups with settings.
	all string
}

// nameWith returns the name of the alert with a severity. An alert with another severity than its default has another name,
// because inhibitions that are common in Alertmanager let a critical alert silence all others of its name.
func (d *definition) nameWith(severity string) string {
	if severity == d.severity {
		return d.name
	}
	return d.name + capitalized(severity)
}

// alerting is the section "alerting" of the configuration, with methods that derive alerts from it.
type alerting struct{ *config.Alerting }

// definitions returns all alerts, in the order of the rule files. Alerts about zones and hosts are first, because Prometheus sends the alerts of
// each rule as soon as it has evaluated it.
func (c alerting) definitions() []definition {
	return slices.Concat(c.hostAlerts(), c.memberAlerts(), c.groupAlerts(), c.sourceAlerts(), c.detectionAlerts(), c.stateAlerts(), c.exporterAlerts(), c.bridgeAlerts())
}

// Names returns the names of all alerts, as they are with the default severities.
func Names() []string {
	c := alerting{new(config.DefaultAlerting())}
	var names []string
	for _, d := range c.definitions() {
		names = append(names, d.name)
	}
	return names
}

// severity returns the severity of an alert: that of the settings of the group, of the settings of the alert, or the default.
func (c alerting) severity(d *definition, g *config.AlertGroup) string {
	if d.ofGroup != nil && g != nil && d.ofGroup(g) != "" {
		return d.ofGroup(g)
	}
	return cmp.Or(c.Severities[d.name], d.severity)
}

// labels returns the labels of an alert's rule, as templates. Prometheus adds them to the labels of the expression.
func (c alerting) labels(d *definition, g *config.AlertGroup) map[string]string {
	labels := map[string]string{"severity": c.severity(d, g), "scope": string(d.scope)}
	if d.hasHost && c.HostLabel != "" && c.HostLabel != "host" {
		labels[c.HostLabel] = "{{ $labels.host }}"
	}
	maps.Copy(labels, c.Labels)
	return labels
}

// annotations returns an alert's annotations, as templates.
func (c alerting) annotations(d *definition) map[string]string {
	annotations := map[string]string{
		"summary":       d.summary,
		"description":   strings.NewReplacer(c.wordTemplates()...).Replace(d.describe),
		"runbook_url":   c.link("runbooks/" + d.name),
		"dashboard_url": c.dashboard(d),
	}
	if c.asksForHost(d) {
		annotations[hostAnswers] = c.hostAnswersTemplate()
	}
	return annotations
}
