package alerts

import "fmt"

// The annotation host_answers of an alert about one machine says whether the machine answers by another way than its members' heartbeats.
// It decides nothing: it helps to tell a dead process from a dead machine.

const (
	// hostAnswers is the name of the annotation.
	hostAnswers = "host_answers"
	// hostAnswersRecord is the name of the recorded series.
	hostAnswersRecord = "servicegroup:host_answers"
)

// HostUnknown is the value of the annotation for a host that no result is about.
const HostUnknown = "unknown"

// HostAnswers returns the value of the annotation for a result of [config.Alerting.HostQuery].
func HostAnswers(value float64) string {
	if value > 0 {
		return "yes"
	}
	return "no"
}

// asksForHost returns whether an alert has the annotation.
func (c alerting) asksForHost(d *definition) bool {
	return c.HostQuery != "" && d.hasHost && (c.HostLabel != "" || d.scope == scopeHost)
}

// hostAnswersRule returns the rule that records which hosts answer. Its result costs an alert a lookup, while evaluating the expression
// for each alert would take longer than an interval if thousands fire.
func (c alerting) hostAnswersRule() Rule {
	return Rule{Record: hostAnswersRecord, Expr: fmt.Sprintf("max by (%s, host) (\n%s\n)", c.ClusterLabel, c.HostQuery)}
}

// hostAnswersTemplate returns the template of the annotation. A result without the cluster label is about the hosts of any cluster.
func (c alerting) hostAnswersTemplate() string {
	const expr = "max(" + hostAnswersRecord + "{%[1]s=%%[1]q,host=%%[2]q} or " + hostAnswersRecord + "{%[1]s=\"\",host=%%[2]q})"
	return fmt.Sprintf("{{ with printf %q $labels.%s $labels.host | query }}", fmt.Sprintf(expr, c.ClusterLabel), c.ClusterLabel) +
		"{{ if gt (. | first | value) 0.0 }}yes{{ else }}no{{ end }}{{ else }}" + HostUnknown + "{{ end }}"
}
