package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"servicegroup_exporter/drivers"
)

// minPollInterval keeps a mistyped unit from becoming a load test of the backend.
const minPollInterval = drivers.Duration(100 * time.Millisecond)

// maxName bounds a source's name, in bytes: it is a label of every series.
const maxName = 128

// validate checks what no single setting can tell.
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
		validateDriver(r, s, path)
		validateRoster(r, c, s, path)
		validateCanary(r, s, path)
	}
	r.section("alerting", c.Alerting.Validate())
}

func validateSource(r *report, s *Source, path string) {
	if s.Name == "" {
		r.settingf(path+".name", "every source needs a name")
	} else if !goodName(s.Name) {
		r.settingf(path+".name", "must be at most %d bytes of letters, digits and signs, without spaces", maxName)
	}
	if s.PollInterval != 0 && s.PollInterval < minPollInterval {
		r.settingf(path+".poll_interval", "must be 0 or at least %s", minPollInterval)
	}
	if s.PollTimeout == 0 {
		r.settingf(path+".poll_timeout", "must be more than 0")
	}
	if s.ForgetAfter == 0 {
		r.settingf(path+".forget_after", "must be more than 0")
	}
	if s.Expose != ExposeAll && s.Expose != ExposeUp {
		r.settingf(path+".expose", "must be %q or %q", ExposeAll, ExposeUp)
	}
}

func goodName(name string) bool {
	bad := func(c rune) bool { return !unicode.IsGraphic(c) || unicode.IsSpace(c) }
	return len(name) <= maxName && utf8.ValidString(name) && !strings.ContainsFunc(name, bad)
}

// validateDriver checks that the driver's own section is there, is right, and is the only one.
func validateDriver(r *report, s *Source, path string) {
	sections := s.sections()
	names := slices.Sorted(maps.Keys(sections))
	if _, known := sections[s.Driver]; !known {
		r.settingf(path+".driver", "must be one of %s", strings.Join(names, ", "))
		return
	}
	for _, name := range names {
		switch section := sections[name]; {
		case section == nil && name == s.Driver:
			r.settingf(join(path, name), "driver %q needs this section", name)
		case section != nil && name != s.Driver:
			r.settingf(join(path, name), "the driver is %q, which does not read this section", s.Driver)
		case section != nil:
			r.section(join(path, name), section.Validate())
		}
	}
}
