package alerts

import (
	"maps"
	"net/url"
	"strings"

	"servicegroup_exporter/config"
)

// An ID says which alert about what the bridge means. What the alert is not about is empty.
type ID struct{ Alert, Source, Group, Member string }

// A Posted is an alert as it reaches Alertmanager. Nothing in it may be changed.
type Posted struct {
	Labels, Annotations map[string]string
	GeneratorURL        string
}

// A Builder writes alerts as Prometheus sends them when it has evaluated the rules of a configuration and added its external
// labels, so that Alertmanager takes both for one. Its methods may be called concurrently.
type Builder struct {
	config      alerting
	definitions map[string]*definition
}

// NewBuilder makes the builder of a configuration that is valid.
func NewBuilder(cfg *config.Alerting) *Builder {
	c := alerting{cfg}
	b := &Builder{config: c, definitions: map[string]*definition{}}
	for _, d := range c.definitions() {
		b.definitions[d.name] = &d
	}
	return b
}

// Write gives the alert that an ID means.
func (b *Builder) Write(id ID) Posted {
	d := b.definitions[id.Alert]
	annotations := b.config.annotations(d)
	for name, text := range annotations {
		annotations[name] = expand(text, id)
	}
	labels := b.labels(id, d)
	return Posted{Labels: labels, Annotations: annotations, GeneratorURL: b.config.page(d.scope, labels)}
}

// labels does in order what Prometheus does: the rule's labels replace those of the expression, external labels are added
// where they are absent, relabelling drops some, and empty ones don't count.
func (b *Builder) labels(id ID, d *definition) map[string]string {
	labels := map[string]string{"source": id.Source, "group": id.Group, "member": id.Member}
	for name, text := range b.config.labels(d, b.config.groupOf(id.Source, id.Group)) {
		labels[name] = expand(text, id)
	}
	labels["alertname"] = d.name
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

// expand expands the templates of this package: there are none but {{ $labels.NAME }} and {{ $labels.NAME | urlquery }}. It
// is fast, because thousands may die at once.
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

// label gives what a label says of what the alert is about.
func (id ID) label(name string) string {
	switch name {
	case "source":
		return id.Source
	case "group":
		return id.Group
	case "member":
		return id.Member
	default:
		return ""
	}
}
