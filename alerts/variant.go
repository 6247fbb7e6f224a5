package alerts

import (
	"fmt"
	"regexp"
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
func (c alerting) variants(changes parameter) []variant {
	var all []variant
	others := variant{}
	for i := range c.Groups {
		if g := &c.Groups[i]; changes != nil && changes(g) {
			all = append(all, variant{group: g})
			others.except = append(others.except, g)
		}
	}
	return append(all, others)
}

// of returns a selector for the series of a metric that belong to the variant's groups.
func (v variant) of(metric string) string {
	if v.group == nil {
		return metric
	}
	return metric + matchers(v.group)
}

// only restricts an expression, which has labels source and group, to groups without a variant of their own. The metric must
// have series of every group.
func (v variant) only(expr, metric string) string {
	if len(v.except) == 0 {
		return expr
	}
	others := make([]string, len(v.except))
	for i, g := range v.except {
		others[i] = metric + matchers(g)
	}
	return fmt.Sprintf("%s\nunless on (source, group) (%s)", expr, strings.Join(others, " or "))
}

func (v variant) ratio() string {
	return strconv.FormatFloat(ratio(v.group), 'g', -1, 64)
}

// matchers returns label matchers for a group's series. They match what [config.AlertGroup.Fits] accepts.
func matchers(g *config.AlertGroup) string {
	if g.Source == "" {
		return fmt.Sprintf("{group=%q}", g.Group)
	}
	// The sources of Nova's cells are named after their parent source: NAME/CELL.
	return fmt.Sprintf("{source=~%q, group=%q}", regexp.QuoteMeta(g.Source)+"(/.+)?", g.Group)
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

// defaultRatio is the share of members whose death makes a group degraded, where no setting says otherwise.
const defaultRatio = 0.25

// ratio is the share of members that make a group degraded. The group may be nil.
func ratio(g *config.AlertGroup) float64 {
	if g == nil || g.DegradedRatio == 0 {
		return defaultRatio
	}
	return g.DegradedRatio
}

func setsSeverity(g *config.AlertGroup) bool { return g.Severity != "" }

func setsMinimum(g *config.AlertGroup) bool { return g.MinMembers > 0 }

func setsRatio(g *config.AlertGroup) bool { return g.DegradedRatio > 0 }
