package alerts

import (
	"maps"
	"slices"

	"servicegroup_exporter/config"

	"github.com/prometheus/common/model"
)

// A Rule is one rule of Prometheus, a recording rule if it has a Record, as its files have it.
type Rule struct {
	Record        string            `yaml:"record,omitempty"`
	Alert         string            `yaml:"alert,omitempty"`
	Expr          string            `yaml:"expr"`
	For           model.Duration    `yaml:"for,omitempty"`
	KeepFiringFor model.Duration    `yaml:"keep_firing_for,omitempty"`
	Labels        map[string]string `yaml:"labels,omitempty"`
	Annotations   map[string]string `yaml:"annotations,omitempty"`
}

// Rules returns the rules for a configuration that is valid, in the order in which they have to be evaluated. External
// labels are not in them: Prometheus adds those.
func Rules(cfg *config.Alerting) []Rule {
	c := alerting{cfg}
	var rules []Rule
	for _, r := range c.recordings() {
		rules = append(rules, Rule{Record: r.record, Expr: r.expr})
	}
	definitions := c.definitions()
	for i := range definitions {
		rules = append(rules, c.alertRules(&definitions[i])...)
	}
	return rules
}

// alertRules gives the rules of one alert: one for each set of labels that its variants have.
func (c alerting) alertRules(d *definition) []Rule {
	var rules []Rule
	for _, v := range c.variants(d.parameter) {
		expr, labels := d.expr(v), c.labels(d, v.group)
		if expr == "" {
			continue
		}
		same := slices.IndexFunc(rules, func(r Rule) bool { return maps.Equal(r.Labels, labels) })
		if same >= 0 {
			rules[same].Expr += "\nor\n" + expr
			continue
		}
		rules = append(rules, Rule{
			Alert: d.name, Expr: expr,
			For: model.Duration(d.hold), KeepFiringFor: model.Duration(d.keep),
			Labels: labels, Annotations: c.annotations(d),
		})
	}
	return rules
}
