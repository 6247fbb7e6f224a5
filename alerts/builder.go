package alerts

import (
	"maps"
	"net/url"
	"strings"

	"servicegroup_exporter/alerts/alertmanager"
	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
)

// An ID identifies an alert of the bridge: the name of the alert, and what it is about. Group and Member are empty in
// alerts about a whole source, Member in those about a whole group.
type ID struct{ Alert, Source, Group, Member string }

// A Builder builds alerts with the labels and annotations that Prometheus gives them: after it has evaluated the rules of
// the same configuration, and after its external labels and alert_relabel_configs. Alertmanager therefore merges both. Its
// methods may be called concurrently.
type Builder struct {
	config      alerting
	definitions map[string]*definition
}

// NewBuilder returns a builder for a valid configuration.
func NewBuilder(cfg *config.Alerting) *Builder {
	c := alerting{cfg}
	b := &Builder{config: c, definitions: map[string]*definition{}}
	for _, d := range c.definitions() {
		b.definitions[d.name] = &d
	}
	return b
}

// Build returns the alert with an ID. Its times are not set. Alerts about more than one member are posted first, because
// they inhibit those about single members.
func (b *Builder) Build(id ID) *alertmanager.Alert {
	d := b.definitions[id.Alert]
	annotations := b.config.annotations(d)
	for name, text := range annotations {
		annotations[name] = expand(text, id)
	}
	labels := b.labels(id, d)
	return &alertmanager.Alert{
		Labels: labels, Annotations: annotations, GeneratorURL: b.config.page(d.scope, labels), First: id.Member == "",
	}
}

// Severity returns the severity of the alert with an ID.
func (b *Builder) Severity(id ID) string {
	return b.config.severity(b.definitions[id.Alert], b.config.groupOf(id.Source, id.Group))
}

// GrafanaURL returns the URL of a Grafana with the dashboards of this program; empty: there is none.
func (b *Builder) GrafanaURL() string { return strings.TrimSuffix(b.config.GrafanaURL, "/") }

// labels takes the same steps as Prometheus, in the same order: the labels of the rule replace the labels of the expression,
// external labels are added where a label is absent, relabelling drops some, and empty labels are left out.
func (b *Builder) labels(id ID, d *definition) map[string]string {
	labels := map[string]string{"source": id.Source, "group": id.Group, "member": id.Member}
	for name, text := range b.config.labels(d, b.config.groupOf(id.Source, id.Group)) {
		labels[name] = expand(text, id)
	}
	if b.config.HostLabel != "" && d.name == MemberDown {
		labels["host"] = id.label("host")
	}
	labels["alertname"] = d.nameWith(labels["severity"])
	for name, value := range b.config.ExternalLabels {
		if labels[name] == "" {
			labels[name] = value
		}
	}
	for _, name := range b.config.DropLabels {
		delete(labels, name)
	}
	maps.DeleteFunc(labels, func(_, value string) bool { return value == "" })
	return labels
}

// expand expands the templates that this package uses: {{ $labels.NAME }} and {{ $labels.NAME | urlquery }}. It does not use
// text/template, because that is too slow for thousands of alerts at once.
func expand(text string, id ID) string {
	const begin, end, query = "{{ $labels.", " }}", " | urlquery"
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, begin)
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		name, after, _ := strings.Cut(rest, end)
		name, escape := strings.CutSuffix(name, query)
		value := id.label(name)
		if escape {
			value = url.QueryEscape(value)
		}
		b.WriteString(value)
		text = after
	}
}

// label returns the value of a label that says what the alert is about.
func (id ID) label(name string) string {
	switch name {
	case "source":
		return id.Source
	case "group":
		return id.Group
	case "member":
		return id.Member
	case "host":
		return (&drivers.Member{Name: id.Member}).Host()
	default:
		return ""
	}
}
