package alerts

import (
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/common/model"

	"servicegroup_exporter/config"
)

// A Rule is a rule in the form of Prometheus' rule files. It is a recording rule if Record is set.
type Rule struct {
	Record        string            `yaml:"record,omitempty"`
	Alert         string            `yaml:"alert,omitempty"`
	Expr          string            `yaml:"expr"`
	For           model.Duration    `yaml:"for,omitempty"`
	KeepFiringFor model.Duration    `yaml:"keep_firing_for,omitempty"`
	Labels        map[string]string `yaml:"labels,omitempty"`
	Annotations   map[string]string `yaml:"annotations,omitempty"`
}

// Rules returns the rules for a valid configuration. They do not have the external labels, which Prometheus adds.
func Rules(cfg *config.Alerting) []Rule {
	c := alerting{cfg}
	var rules []Rule
	words := strings.NewReplacer(c.replacements()...)
	for _, r := range recordings() {
		rules = append(rules, Rule{Record: r.record, Expr: words.Replace(r.expr)})
	}
	if c.HostQuery != "" {
		rules = append(rules, c.hostAnswersRule())
	}
	definitions := c.definitions()
	for i := range definitions {
		if !slices.Contains(c.OmitAlerts, definitions[i].name) {
			rules = append(rules, c.alertRules(&definitions[i])...)
		}
	}
	return rules
}

// alertRules returns the rules of one alert: one for each set of labels among its variants.
func (c alerting) alertRules(d *definition) []Rule {
	var rules []Rule
	for _, v := range c.variants(d) {
		expr, labels := c.expression(d, v), c.labels(d, v.group)
		same := slices.IndexFunc(rules, func(r Rule) bool { return maps.Equal(r.Labels, labels) })
		if same >= 0 {
			rules[same].Expr += "\nor\n" + expr
			continue
		}
		rules = append(rules, Rule{
			Alert: d.nameWith(labels["severity"]), Expr: expr,
			For: model.Duration(d.hold), KeepFiringFor: model.Duration(d.keep),
			Labels: labels, Annotations: c.annotations(d),
		})
	}
	return rules
}
