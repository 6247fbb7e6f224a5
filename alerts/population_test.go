package alerts

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"servicegroup_exporter/drivers"
)

// A population is the members of several sources, as found by one poll of each.
type population struct{ members []populationMember }

type populationMember struct {
	source string
	fenced bool
	drivers.Member
}

// populate returns random members of sources: some are out of service, and some have names and reasons that look like
// templates or need quoting.
func populate(random *rand.Rand, sources []string, groups []string) *population {
	p := &population{}
	for _, source := range sources {
		for _, group := range groups {
			dying := float64(random.IntN(6)) / 5 // From none to all.
			for i := range random.IntN(10) {
				m := populationMember{source: source}
				m.Group, m.Name = group, fmt.Sprintf("%s-%d", pick(random, unusualNames()...), i)
				m.Up = random.Float64() >= dying
				if random.IntN(3) == 0 {
					m.Enabled, m.ForcedDown = pick(random, flags()...), pick(random, flags()...)
					m.DisabledReason = pick(random, "", "rack 7", "AUTO: libvirt is gone", "AUTO: libvirt:\ngone", "no AUTO: ", "auto: ")
				}
				if m.ForcedDown == drivers.FlagYes {
					m.Up, m.fenced = false, random.IntN(2) == 0
				}
				p.members = append(p.members, m)
			}
		}
	}
	return p
}

func unusualNames() []string {
	return []string{"c", `{{ $labels.source }}`, `"q" \n`, "a&b=c d+e%41/?#", "grün €", "<b>", "$1 ${2}"}
}

func flags() []drivers.Flag { return []drivers.Flag{drivers.FlagNone, drivers.FlagNo, drivers.FlagYes} }

func pick[T any](random *rand.Rand, choice ...T) T { return choice[random.IntN(len(choice))] }

// metrics returns the metrics of an exporter that has polled these sources.
func (p *population) metrics() string {
	var page strings.Builder
	seen := map[string]bool{}
	for i := range p.members {
		m := &p.members[i]
		if !seen[m.source] {
			fmt.Fprintf(&page, "servicegroup_source_up{source=%s} 1\n", quote(m.source))
			seen[m.source] = true
		}
		labels := fmt.Sprintf("source=%s,group=%s,member=%s", quote(m.source), quote(m.Group), quote(m.Name))
		show := func(metric string, value bool) { fmt.Fprintf(&page, "%s{%s} %d\n", metric, labels, oneIf(value)) }
		show("service_up", m.Up)
		if m.Enabled != drivers.FlagNone {
			show("servicegroup_member_enabled", m.Enabled == drivers.FlagYes)
		}
		if m.ForcedDown != drivers.FlagNone {
			show("servicegroup_member_forced_down", m.ForcedDown == drivers.FlagYes)
		}
		if m.ForcedDown == drivers.FlagYes {
			show("servicegroup_member_fenced", m.fenced)
		}
		fmt.Fprintf(&page, "servicegroup_member_info{%s,disabled_reason=%s} 1\n", labels, quote(m.DisabledReason))
	}
	return page.String()
}

func oneIf(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// quote returns a label's value as in Prometheus' text format.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

// alerts returns the alerts that the bridge would post.
func (p *population) alerts(b *Builder) []ID {
	var ids []ID
	type name struct{ source, group string }
	groups, sources := map[name]Tally{}, map[string]Tally{}
	for i := range p.members {
		m := &p.members[i]
		t := Tally{}
		if InService(&m.Member, m.fenced) {
			t.InService++
			if !m.Up {
				t.Down++
				ids = append(ids, ID{MemberDown, m.source, m.Group, m.Name})
			}
		}
		t.Add(groups[name{m.source, m.Group}])
		groups[name{m.source, m.Group}] = t
		sources[m.source] = Tally{}
	}
	for source := range sources {
		for _, group := range b.ExpectedGroups(source) {
			n := name{source, group}
			t := groups[n] // None of its members may be there.
			groups[n] = t
		}
	}
	for n, t := range groups {
		ids = append(ids, b.GroupAlerts(n.source, n.group, t)...)
		t.Add(sources[n.source])
		sources[n.source] = t
	}
	for source, t := range sources {
		ids = append(ids, b.SourceAlerts(source, t)...)
	}
	return ids
}
