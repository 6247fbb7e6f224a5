package alerts

import (
	"maps"
	"net/url"
	"strings"
)

// An ID says which alert about what the bridge means. What the alert is not about is empty.
type ID struct{ Alert, Source, Group, Member string }

// A Posted is an alert as it reaches Alertmanager. Nothing in it may be changed.
type Posted struct {
	Labels, Annotations map[string]string
	GeneratorURL        string
}

// A Book writes alerts as Prometheus sends them when it has evaluated the rules of a configuration and added its external
// labels, so that Alertmanager takes both for one. Its methods may be called concurrently.
type Book struct {
	config      *Config
	definitions map[string]*definition
}

// NewBook makes the book of a configuration that is valid.
func NewBook(c *Config) *Book {
	b := &Book{config: c, definitions: map[string]*definition{}}
	for _, d := range c.definitions() {
		b.definitions[d.name] = &d
	}
	return b
}

// Write gives the alert that an ID means.
func (b *Book) Write(id ID) Posted {
	d, expand := b.definitions[id.Alert], expander(id)
	annotations := b.config.annotations(d)
	for name, text := range annotations {
		annotations[name] = expand.Replace(text)
	}
	labels := b.labels(id, d, expand)
	return Posted{Labels: labels, Annotations: annotations, GeneratorURL: b.config.page(d.scope, labels)}
}

// labels does in order what Prometheus does: the rule's labels replace those of the expression, external labels are added
// where they are absent, relabelling drops some, and empty ones don't count.
func (b *Book) labels(id ID, d *definition, expand *strings.Replacer) map[string]string {
	labels := map[string]string{"source": id.Source, "group": id.Group, "member": id.Member}
	for name, text := range b.config.labels(d, b.config.groupOf(id.Source, id.Group)) {
		labels[name] = expand.Replace(text)
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

// expander expands the templates of this package: they have no others than these.
func expander(id ID) *strings.Replacer {
	var pairs []string
	for name, value := range map[string]string{"source": id.Source, "group": id.Group, "member": id.Member} {
		pairs = append(pairs, "{{ $labels."+name+" }}", value,
			"{{ $labels."+name+" | urlquery }}", url.QueryEscape(value))
	}
	return strings.NewReplacer(pairs...)
}
