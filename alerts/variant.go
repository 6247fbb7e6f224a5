package alerts

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"servicegroup_exporter/config"
)

// A parameter returns whether a group's settings change an alert.
type parameter func(g *config.AlertGroup) bool

// A variant is an alert for some groups: for those that one element of "groups" configures, or for all others.
type variant struct {
	group  *config.AlertGroup   // nil: all groups without settings
	except []*config.AlertGroup // with group nil: the groups that have a variant of their own
}

// variants returns the variants of an alert. The last one is that for all groups without settings.
func (c alerting) variants(d *definition) []variant {
	var all []variant
	others := variant{}
	for i := range c.Groups {
		if g := &c.Groups[i]; d.parameter != nil && d.parameter(g) {
			all = append(all, variant{group: g})
			others.except = append(others.except, g)
		}
	}
	if d.parameter == nil || d.all != "" {
		all = append(all, others)
	}
	return all
}

// expression returns the expression of an alert for a variant. Definitions write it with words in braces: see
// [alerting.replacements].
func (c alerting) expression(d *definition, v variant) string {
	these := c.recordedMatchers()
	if v.group != nil {
		these = append(these, groupMatchers(v.group)...)
	}
	var words []string
	if v.group != nil { // Before the words for all groups.
		words = append(words, "{ours}", braces(append(c.matchers(nil), groupMatchers(v.group)...)))
	}
	words = append(append(words, c.replacements()...), "{these}", braces(these), "{ratio}", strconv.FormatFloat(ratio(v.group), 'g', -1, 64))
	if v.group != nil {
		words = append(words, "{minimum}", strconv.Itoa(v.group.MinMembers))
	}
	expr := strings.NewReplacer(words...).Replace(d.expr)
	if len(v.except) == 0 {
		return expr
	}
	others := make([]string, len(v.except))
	for i, g := range v.except {
		others[i] = strings.ReplaceAll(d.all, "{these}", braces(append(c.recordedMatchers(), groupMatchers(g)...)))
	}
	return fmt.Sprintf("%s\nunless on (%s, source, group) (%s)", expr, c.ClusterLabel, strings.Join(others, " or "))
}

// replacements returns the words that are the same in all expressions, each followed by its replacement:
//
//	cluster          the label that tells clusters apart
//	{ours}           the matchers of this configuration's sources
//	{ours, X}        the same, with one more
//	up{job}          whether an exporter could be scraped
//	{exporters}      the matchers of the exporters, which have no label source
//	{exporters, X}   the same, with one more
//	{and ours}       restricts series of exporters to those with sources of this configuration
func (c alerting) replacements() []string {
	ours, targets := c.matchers(nil), c.matchers(func(label string) bool { return label != "source" })
	andOurs := ""
	if len(ours) > len(targets) {
		andOurs = fmt.Sprintf(" and on (%s, job, instance) servicegroup_source_up%s", c.ClusterLabel, braces(ours))
	}
	return []string{
		"cluster", c.ClusterLabel,
		"{ours}", braces(ours),
		"{ours, ", openBraces(ours),
		"{exporters}", braces(targets),
		"up{job}", "up" + braces(append([]string{fmt.Sprintf("job=%q", c.Job)}, targets...)),
		"{exporters, ", openBraces(targets),
		"{and ours}", andOurs,
	}
}

// matchers returns the matchers of the setting "selector", of those labels that a function selects; nil: of all.
func (c alerting) matchers(selects func(label string) bool) []string {
	var texts []string
	matchers, _ := config.Matchers(c.Selector) // It was validated.
	for _, m := range matchers {
		if selects == nil || selects(m.Label) {
			texts = append(texts, m.Text)
		}
	}
	return texts
}

// recordedMatchers returns the matchers for the results of recording rules, which have no labels of targets.
func (c alerting) recordedMatchers() []string {
	return c.matchers(func(label string) bool { return label == "source" || label == c.ClusterLabel })
}

func braces(matchers []string) string {
	if len(matchers) == 0 {
		return ""
	}
	return "{" + strings.Join(matchers, ", ") + "}"
}

// openBraces returns the same for a selector to which another matcher is added.
func openBraces(matchers []string) string {
	return strings.TrimSuffix(braces(append(slices.Clone(matchers), "")), "}")
}

// groupMatchers returns label matchers for a group's series. They match what [config.AlertGroup.Fits] accepts.
func groupMatchers(g *config.AlertGroup) []string {
	group := fmt.Sprintf("group=%q", g.Group)
	if g.Source == "" {
		return []string{group}
	}
	// The sources of Nova's cells are named after their parent source: NAME/CELL.
	return []string{fmt.Sprintf("source=~%q", regexp.QuoteMeta(g.Source)+"(/.+)?"), group}
}

// groupOf returns the settings of a group, or nil.
func (c alerting) groupOf(source, group string) *config.AlertGroup {
	for i := range c.Groups {
		if c.Groups[i].Fits(source, group) {
			return &c.Groups[i]
		}
	}
	return nil
}

// A Limit is the share of a group's members in service from which ServiceGroupDegraded fires. Matchers are the label matchers of the
// groups; nil: all.
type Limit struct {
	Matchers []string
	Ratio    float64
}

// DegradedLimits returns the limits of the groups that have one of their own, and then the limit of all others.
func DegradedLimits(cfg *config.Alerting) []Limit {
	var limits []Limit
	for i := range cfg.Groups {
		if g := &cfg.Groups[i]; setsRatio(g) {
			limits = append(limits, Limit{groupMatchers(g), ratio(g)})
		}
	}
	return append(limits, Limit{nil, ratio(nil)})
}

// ratio is the share of members whose death makes a group degraded. The group may be nil.
func ratio(g *config.AlertGroup) float64 {
	const byDefault = 0.25
	if g == nil {
		return byDefault
	}
	return cmp.Or(g.DegradedRatio, byDefault)
}

func setsSeverity(g *config.AlertGroup) bool { return g.Severity != "" }

func setsSuspectedSeverity(g *config.AlertGroup) bool { return g.SuspectedSeverity != "" }

func setsMinimum(g *config.AlertGroup) bool { return g.MinMembers > 0 }

func setsRatio(g *config.AlertGroup) bool { return g.DegradedRatio > 0 }
