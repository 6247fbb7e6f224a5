// Package alerts is the one description of every alert of this program: its name, labels and texts, and the expression
// that Prometheus evaluates. The rule files are written from it, and the bridge takes the labels and texts of what it
// posts from it, so that Alertmanager merges what both send.
//
// The set and its thresholds follow the mixins and the measurements that docs/alerting.md names.
package alerts

import "time"

// The alerts that the bridge posts too.
const (
	MemberDown   = "ServiceGroupMemberDown"
	Degraded     = "ServiceGroupDegraded"
	Outage       = "ServiceGroupOutage"
	BelowMinimum = "ServiceGroupBelowMinimum"
	MassFailure  = "ServiceGroupMassFailure"
)

// The values of the label severity.
const (
	severityCritical = "critical" // somebody gets up
	severityWarning  = "warning"  // somebody looks into it today
	severityInfo     = "info"     // it stands on a dashboard
	severityNone     = "none"     // nobody is told
)

// Scope is what an alert is about, and the value of its label scope, by which routes and inhibitions tell alerts apart.
type scope string

const (
	scopeMember   scope = "member"   // labels source, group and member
	scopeGroup    scope = "group"    // labels source and group
	scopeSource   scope = "source"   // label source
	scopeExporter scope = "exporter" // this program itself, whatever labels it has
)

// A definition is one alert.
type definition struct {
	name     string
	scope    scope
	severity string
	// expr gives the expression for the groups that a variant stands for.
	expr      func(v variant) string
	hold      time.Duration // "for": how long it is pending
	keep      time.Duration // "keep_firing_for"
	summary   string        // templates over the alert's labels, like those of Prometheus
	describe  string
	dashboard string // uid of the Grafana dashboard to look at; empty: by scope
	// parameter is what a group's settings may change about the alert; nil: nothing.
	parameter parameter
}

// fixed is an expression that no setting of a group changes.
func fixed(expr string) func(variant) string { return func(variant) string { return expr } }
