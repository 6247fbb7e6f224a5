package config

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/suggest"
)

// minPollInterval prevents that a wrong unit overloads the backend.
const minPollInterval = drivers.Duration(100 * time.Millisecond)

// maxName is the maximum length of a source's name, in bytes. The name is a label of every series.
const maxName = 128

// minLabelLimit leaves room for our own values of labels, and for the names of usual members.
const minLabelLimit = 64

// validate checks everything but the values of single settings, which the decoder has checked.
func validate(r *report, c *Config) {
	if len(c.Sources) == 0 {
		r.settingf("sources", "at least one source is needed")
	}
	first := map[string]int{}
	for i := range c.Sources {
		s, path := &c.Sources[i], fmt.Sprintf("sources[%d]", i)
		if other, taken := first[s.Name]; taken && s.Name != "" {
			r.settingf(path+".name", "%q is the name of sources[%d] too", s.Name, other)
		} else {
			first[s.Name] = i
		}
		validateSource(r, s, path)
		if limit := c.LabelValueLengthLimit; limit > 0 && len(s.Name) > limit {
			r.settingf(path+".name", "has %d bytes, more than label_value_length_limit, which is %d", len(s.Name), limit)
		}
		validateDriver(r, s, path)
		validateSuspicion(r, s, path)
		if s.DB != nil {
			r.section(path+".db", s.DB.validate())
		}
		if s.Roster != nil {
			r.section(path+".roster", s.Roster.validate(c))
		}
		if s.Canary != nil {
			r.section(path+".canary", s.Canary.Validate())
		}
	}
	r.section("alerting", c.Alerting.Validate())
	r.section("hosts", c.Hosts.validate())
	if limit := c.LabelValueLengthLimit; limit != 0 && limit < minLabelLimit {
		r.settingf("label_value_length_limit", "is %d, must be 0 or at least %d", limit, minLabelLimit)
	}
}

func validateSource(r *report, s *Source, path string) {
	if s.Name == "" {
		r.settingf(path+".name", "every source needs a name")
	} else if !goodName(s.Name) {
		r.settingf(path+".name", "%s is not a name of at most %d bytes of letters, digits and signs, without spaces", suggest.Quote(s.Name), maxName)
	}
	if s.PollInterval != 0 && s.PollInterval < minPollInterval {
		r.settingf(path+".poll_interval", "is %s, must be 0 or at least %s", s.PollInterval, minPollInterval)
	}
	if s.PollTimeout == 0 {
		r.settingf(path+".poll_timeout", "is %s, must be positive", s.PollTimeout)
	}
	if s.ForgetAfter == 0 {
		r.settingf(path+".forget_after", "is %s, must be positive", s.ForgetAfter)
	}
	switch s.MemberMetrics {
	case MemberMetricsAll, MemberMetricsMinimal:
	case "up":
		r.settingf(path+".member_metrics", "%q is called %q now", s.MemberMetrics, MemberMetricsMinimal)
	default:
		r.settingf(path+".member_metrics", "%v", suggest.NotOneOf(s.MemberMetrics, []string{MemberMetricsAll, MemberMetricsMinimal}))
	}
}

func goodName(name string) bool {
	bad := func(c rune) bool { return !unicode.IsGraphic(c) || unicode.IsSpace(c) }
	return len(name) <= maxName && utf8.ValidString(name) && !strings.ContainsFunc(name, bad)
}

// otherNames returns what the servers are called for whose driver each name is.
func otherNames() map[string]string {
	return map[string]string{
		"mysql": "db", "mariadb": "db", "galera": "db", "percona": "db", "postgresql": "db", "postgres": "db", "pgsql": "db",
		"sqlite": "db", "sql": "db", "database": "db", "nova": "db",
		"memcache": "mc", "memcached": "mc", "zookeeper": "zk",
	}
}

// validateDriver checks that the section of the driver exists, and no section of another driver.
func validateDriver(r *report, s *Source, path string) {
	sections := []struct {
		name string
		set  bool
	}{{"db", s.DB != nil}, {"mc", s.MC != nil}, {"zk", s.ZK != nil}}
	var names []string
	for _, section := range sections {
		names = append(names, section.name)
	}
	if !slices.Contains(names, s.Driver) {
		r.settingf(path+".driver", "%v", suggest.NotOneOfOr(s.Driver, names, otherNames()))
		return
	}
	for _, section := range sections {
		switch {
		case !section.set && section.name == s.Driver:
			r.settingf(join(path, section.name), "driver %q needs this section", section.name)
		case section.set && section.name != s.Driver:
			r.settingf(join(path, section.name), "the driver is %q, which does not read this section", s.Driver)
		}
	}
}
