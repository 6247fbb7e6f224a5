package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A Matcher is one label matcher of a selector in PromQL.
type Matcher struct {
	Label string
	Text  string // the whole matcher: source=~"nova(/.+)?"
}

// matcher matches the first matcher of a selector, and the comma after it.
var matcher = regexp.MustCompile(`^\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*("(?:[^"\\\n]|\\.)*")\s*(?:,|$)\s*`)

// Matchers returns the matchers of a selector as in PromQL, without its braces.
func Matchers(selector string) ([]Matcher, error) {
	var matchers []Matcher
	for rest := strings.TrimSpace(selector); rest != ""; {
		m := matcher.FindStringSubmatch(rest)
		if m == nil {
			return nil, fmt.Errorf(`must be matchers like source="nova", cluster="a", without braces; wrong from %q on`, rest)
		}
		value, err := strconv.Unquote(m[3])
		if err != nil {
			return nil, fmt.Errorf("%s is not a text as in PromQL", m[3])
		}
		if m[2] == "=~" || m[2] == "!~" {
			if _, err := regexp.Compile(value); err != nil {
				return nil, fmt.Errorf("%q is not a regular expression: %w", value, err)
			}
		}
		matchers = append(matchers, Matcher{m[1], m[1] + m[2] + m[3]})
		rest = rest[len(m[0]):]
	}
	return matchers, nil
}

// SourceSelector returns the selector of the configured sources and their cells. The rules for a configuration are about these
// unless the setting "selector" says otherwise.
func (c *Config) SourceSelector() string {
	if len(c.Sources) == 1 && c.Sources[0].Nova == nil {
		return fmt.Sprintf("source=%q", c.Sources[0].Name)
	}
	names := make([]string, len(c.Sources))
	for i := range c.Sources {
		names[i] = regexp.QuoteMeta(c.Sources[i].Name)
		if c.Sources[i].Nova != nil {
			names[i] += "(/.+)?" // Cells are named NAME/CELL.
		}
	}
	slices.Sort(names)
	return fmt.Sprintf("source=~%q", strings.Join(names, "|"))
}

// validateSelector refuses labels of members, which most series lack, and the job, which has its own setting.
func (a *Alerting) validateSelector(wrong wrongFunc) {
	matchers, err := Matchers(a.Selector)
	if err != nil {
		wrong("selector", "%w", err)
	}
	for _, m := range matchers {
		switch {
		case slices.Contains([]string{"group", "member", "binary", "zone", "host"}, m.Label):
			wrong("selector", "can't match %s: select by source, and by labels of targets such as %s", m.Label, a.ClusterLabel)
		case m.Label == "job":
			wrong("selector", "can't match job: set alerting.job to the name of the scrape job")
		}
	}
}
