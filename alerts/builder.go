package alerts

import (
	"maps"
	"net/url"
	"strings"

	"servicegroup_exporter/alerts/alertmanager"
	"servicegroup_exporter/config"
)

// An ID identifies an alert of the bridge: the name of the alert, and what it is about. Group and Member are empty in
// alerts about a whole source, Member in those about a whole group. Binary, Zone and Host are attributes of the member. Problem
// is set in SourceProblem only. An alert about a host has no source, and its zone is an attribute. An alert about a zone has its source.
type ID struct{ Alert, Source, Group, Member, Problem, Binary, Zone, Host string }

// IDOf returns the ID of an alert with these labels, whatever its severity.
func IDOf(labels map[string]string) ID {
	return ID{
		Alert: BaseName(labels["alertname"]), Source: labels["source"], Group: labels["group"], Member: labels["member"],
		Problem: labels["problem"], Binary: labels["binary"], Zone: labels["zone"], Host: labels["host"],
	}
}

// WithoutAttributes returns the ID without the attributes of the member or the host.
func (id ID) WithoutAttributes() ID {
	id.Binary = ""
	if id.Alert != ZoneDown {
		id.Zone = ""
	}
	if id.Alert != HostDown {
		id.Host = ""
	}
	return id
}

// A Builder builds alerts with the labels and annotations that Prometheus gives them: after it has evaluated the rules of
// the same configuration, and after its external labels and alert_relabel_configs. Alertmanager therefore merges both. Its
// methods may be called concurrently.
type Builder struct {
	config      alerting
	definitions map[string]*definition
	annotations map[string]map[string][]piece // by the name of the alert and of the annotation
	hostAnswers func(host string) string      // the annotation of this name; nil: each is unknown
}

// NewBuilder returns a builder for a valid configuration.
func NewBuilder(cfg *config.Alerting) *Builder {
	c := alerting{cfg}
	b := &Builder{config: c, definitions: map[string]*definition{}, annotations: map[string]map[string][]piece{}}
	for _, d := range c.definitions() {
		if !IsPosted(d.name) {
			continue
		}
		b.definitions[d.name] = &d
		b.annotations[d.name] = map[string][]piece{}
		for name, text := range c.annotations(&d) {
			b.annotations[d.name][name] = compile(text, false)
		}
		delete(b.annotations[d.name], hostAnswers)
		b.annotations[d.name]["description"] = compile(d.describe, true)
	}
	return b
}

// AskForHosts sets the function that returns the value of the annotation host_answers. It must not wait.
func (b *Builder) AskForHosts(answers func(host string) string) { b.hostAnswers = answers }

// Build returns the alert with an ID, with these numbers in its description. Its times are not set. Alerts about more than one member are posted first, because
// they inhibit those about single members.
func (b *Builder) Build(id ID, facts Facts) *alertmanager.Alert {
	d := b.definitions[id.Alert]
	annotations := make(map[string]string, len(b.annotations[id.Alert]))
	for name, pieces := range b.annotations[id.Alert] {
		annotations[name] = expand(pieces, &id, &facts)
	}
	if b.config.asksForHost(d) {
		annotations[hostAnswers] = HostUnknown
		if b.hostAnswers != nil {
			annotations[hostAnswers] = b.hostAnswers(id.Host)
		}
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

// WaitsForConfirmation reports whether an alert about a host waits until a member is down by the rule of its service.
func (b *Builder) WaitsForConfirmation() bool { return b.config.PageConfirmedHosts }

// GrafanaURL returns the URL of a Grafana with the dashboards of this program; empty: there is none.
func (b *Builder) GrafanaURL() string { return strings.TrimSuffix(b.config.GrafanaURL, "/") }

// labels takes the same steps as Prometheus, in the same order: the labels of the rule replace the labels of the expression,
// external labels are added where a label is absent, relabelling drops some, and empty labels are left out.
func (b *Builder) labels(id ID, d *definition) map[string]string {
	labels := map[string]string{
		"source": id.Source, "group": id.Group, "member": id.Member, "problem": id.Problem, "binary": id.Binary, "zone": id.Zone,
	}
	for name, text := range b.config.labels(d, b.config.groupOf(id.Source, id.Group)) {
		labels[name] = expand(compile(text, false), &id, nil)
	}
	if d.scope == scopeHost || b.config.HostLabel != "" && d.hasHost {
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

// A piece of a text stands for itself, for a label of the alert, or for a word: see [Facts.word].
type piece struct {
	text, label, word string
	escaped           bool // the label's value is escaped for a URL
}

// compile splits a template as this package uses them: with {{ $labels.NAME }}, {{ $labels.NAME | urlquery }} and, in
// descriptions, with words in braces. The bridge does not use text/template, because that is too slow for thousands of alerts at
// once.
func compile(text string, hasWords bool) []piece {
	const label, end, query = "{ $labels.", " }}", " | urlquery"
	var pieces []piece
	for {
		before, rest, found := strings.Cut(text, "{")
		pieces = append(pieces, piece{text: before})
		switch {
		case !found:
			return pieces
		case strings.HasPrefix(rest, label):
			name, after, _ := strings.Cut(rest[len(label):], end)
			name, escaped := strings.CutSuffix(name, query)
			pieces, text = append(pieces, piece{label: name, escaped: escaped}), after
		case hasWords:
			word, after, _ := strings.Cut(rest, "}")
			pieces, text = append(pieces, piece{word: word}), after
		default:
			pieces, text = append(pieces, piece{text: "{"}), rest
		}
	}
}

// expand returns the text of an alert.
func expand(pieces []piece, id *ID, facts *Facts) string {
	var b strings.Builder
	for _, p := range pieces {
		switch {
		case p.label != "" && p.escaped:
			b.WriteString(url.QueryEscape(id.label(p.label)))
		case p.label != "":
			b.WriteString(id.label(p.label))
		case p.word != "":
			b.WriteString(facts.word(id, p.word))
		default:
			b.WriteString(p.text)
		}
	}
	return b.String()
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
	case "problem":
		return id.Problem
	case "binary":
		return id.Binary
	case "zone":
		return id.Zone
	case "host":
		return id.Host
	default:
		return ""
	}
}
