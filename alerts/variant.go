package alerts

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A parameter says whether a group's settings change an alert.
type parameter func(g *Group) bool

// A variant is an alert for some groups: for those that one setting names, or for all that none names.
type variant struct {
	group  *Group   // nil: all others
	except []*Group // those that have a variant of their own
}

// variants gives those of an alert, the one for all others last.
func (c *Config) variants(changes parameter) []variant {
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

// of selects the series of a metric that belong to the variant's groups.
func (v variant) of(metric string) string {
	if v.group == nil {
		return metric
	}
	return metric + v.group.matchers()
}

// only restricts an expression, which has labels source and group, to groups without a variant of their own. The metric
// has series of every group.
func (v variant) only(expr, metric string) string {
	if len(v.except) == 0 {
		return expr
	}
	others := make([]string, len(v.except))
	for i, g := range v.except {
		others[i] = metric + g.matchers()
	}
	return fmt.Sprintf("%s\nunless on (source, group) (%s)", expr, strings.Join(others, " or "))
}

func (v variant) ratio() string {
	return strconv.FormatFloat(v.group.ratio(), 'g', -1, 64)
}

// matchers selects a group's series.
func (g *Group) matchers() string {
	if g.Source == "" {
		return fmt.Sprintf("{group=%q}", g.Group)
	}
	// The cells of a source that stands for Nova as a whole have its name before a slash.
	return fmt.Sprintf("{source=~%q, group=%q}", regexp.QuoteMeta(g.Source)+"(/.+)?", g.Group)
}

// fits says the same as matchers.
func (g *Group) fits(source, group string) bool {
	return g.Group == group && (g.Source == "" || g.Source == source || strings.HasPrefix(source, g.Source+"/"))
}

// overlaps says whether there may be a group that both fit.
func (g *Group) overlaps(other *Group) bool {
	return g.Group == other.Group &&
		(g.Source == "" || other.Source == "" || g.fits(other.Source, g.Group) || other.fits(g.Source, g.Group))
}

// groupOf gives the settings of a group, or nil.
func (c *Config) groupOf(source, group string) *Group {
	for i := range c.Groups {
		if c.Groups[i].fits(source, group) {
			return &c.Groups[i]
		}
	}
	return nil
}

// ratio is the share of members that make a group degraded. The group may be nil.
func (g *Group) ratio() float64 {
	if g == nil || g.DegradedRatio == 0 {
		return defaultRatio
	}
	return g.DegradedRatio
}

func setsSeverity(g *Group) bool { return g.Severity != "" }

func setsMinimum(g *Group) bool { return g.MinMembers > 0 }

func setsRatio(g *Group) bool { return g.DegradedRatio > 0 }
