package alerts

import (
	"errors"
	"maps"
	"path"
	"strings"
	"testing"
	"text/template"
	"time"
	"unicode/utf8"

	"servicegroup_exporter/collector/hosts"
	"servicegroup_exporter/config"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// FuzzAlerts writes rules and builds alerts for sources, groups and members of any name. The rule file must contain the same
// rules, and an alert of the bridge must have the labels and annotations that Prometheus' templates give that of the rule.
func FuzzAlerts(f *testing.F) {
	f.Add("nova", "compute", "c1", "prod")
	f.Add("a/b", "\"}[5m]) or vector(1) # \\", "{{ $labels.source }}\n", "prod")
	f.Add("}}", "'\u2028\u0085\t- x: &y *z", "<script>%00&member=", "! |\n  x\n")
	f.Add("{{ $labels.group | urlquery }}", "g\x00\x1b", strings.Repeat("ä", 512), "\ufeff: #")
	f.Add("\xff", "\xed\xa0\x80", "\xff", "\xff")
	f.Fuzz(func(t *testing.T, source, group, member, label string) {
		c := config.DefaultAlerting()
		c.Labels, c.ExternalLabels = map[string]string{"team": label}, map[string]string{"cluster": label}
		c.Groups = []config.AlertGroup{{Source: source, Group: group, Severity: severityInfo, MinMembers: 2, DegradedRatio: 0.5}}
		if c.Validate() != nil || !utf8.ValidString(source) || source == "" {
			return // A configuration can't have such names.
		}
		rules := Rules(&c)
		text, err := RuleFile(&c)
		require.NoError(t, err)
		var read groupsFile
		require.NoError(t, yaml.Unmarshal(text, &read))
		require.Len(t, read.Groups[0].Rules, len(rules))
		for i, rule := range rules {
			require.Equal(t, rule, read.Groups[0].Rules[i])
		}
		if !utf8.ValidString(member) {
			return // The collector rejects such members.
		}
		builder := NewBuilder(&c)
		for _, rule := range rules {
			base := path.Base(rule.Annotations["runbook_url"])
			if !IsPosted(base) {
				continue
			}
			id := ID{Alert: base, Source: source, Group: group, Member: member, Problem: label, Binary: label, Host: member}
			facts := Facts{
				InService: 7, Down: 4, Hosts: 3, Cause: hosts.Causes()[len(member)%3], Confirmed: len(member)%2 > 0,
				Services: []Service{{source, group, label, 1}, {source, group + "2", "", 2}},
			}
			switch base {
			case HostDown:
				id = ID{Alert: base, Zone: label, Host: member}
			case ZoneDown:
				id = ID{Alert: base, Source: source, Zone: label}
			}
			posted := builder.Build(id, facts)
			for name, text := range rule.Annotations {
				if name == hostAnswers {
					require.Equal(t, HostUnknown, posted.Annotations[name], "no Prometheus was asked")
					continue
				}
				require.Equal(t, expanded(t, text, id, facts), posted.Annotations[name])
			}
			want := map[string]string{"alertname": rule.Alert, "cluster": label}
			for _, name := range []string{"source", "group", "member", "problem", "binary", "zone"} {
				want[name] = id.label(name)
			}
			maps.Copy(want, rule.Labels)
			for name, text := range want {
				want[name] = expanded(t, text, id, facts)
			}
			if base == HostDown || base == MemberDown || base == MemberSuspected {
				want["host"] = id.label("host")
			}
			maps.DeleteFunc(want, func(_, value string) bool { return value == "" })
			if want["severity"] == posted.Labels["severity"] { // The other rules are for groups without settings.
				require.Equal(t, want, posted.Labels)
			}
		}
	})
}

// expanded returns a text with its templates expanded, as Prometheus does.
func expanded(t *testing.T, text string, id ID, facts Facts) string {
	t.Helper()
	if !strings.Contains(text, "{{ $labels.") || text == id.Source || text == id.Group || text == id.Member || text == id.Binary || text == id.Host || text == id.Zone {
		return text // A value is not a template.
	}
	value := 0.0 // of the expression; no proof of life of a member is known
	if id.Alert != HostDown && id.Alert != MemberDown && id.Alert != MemberSuspected {
		value = float64(facts.value(id.Alert))
	}
	parsed, err := template.New("").Funcs(template.FuncMap{
		"query":       facts.query,
		"sortByLabel": func(_ string, all []sample) []sample { return all },
		"first":       func(all []sample) sample { return all[0] },
		"label":       func(name string, s sample) string { return s.labels[name] },
		"value":       func(s sample) float64 { return s.value },
		"toTime":      func(float64) (time.Time, error) { return time.Time{}, errors.New("no time is known") },
	}).Parse("{{ $labels := .Labels }}{{ $value := .Value }}" + text)
	require.NoError(t, err)
	var out strings.Builder
	labels := map[string]string{"source": id.Source, "group": id.Group, "member": id.Member, "problem": id.Problem, "binary": id.Binary, "zone": id.Zone, "host": id.Host}
	require.NoError(t, parsed.Execute(&out, map[string]any{"Labels": labels, "Value": value}))
	return out.String()
}

// A sample is an element of the result of a query.
type sample struct {
	labels map[string]string
	value  float64
}

// query returns what a query in an annotation finds.
func (f *Facts) query(expr string) []sample {
	switch {
	case strings.HasPrefix(expr, "servicegroup_member_down_cause"):
		return []sample{{map[string]string{"cause": string(f.Cause)}, 1}}
	case strings.Contains(expr, "silent_member"):
		var found []sample
		for _, s := range f.Services {
			found = append(found, sample{map[string]string{"source": s.Source, "group": s.Group, "binary": s.Binary}, float64(s.Members)})
		}
		return found
	case strings.HasPrefix(expr, "count(servicegroup_member_down{") && !f.Confirmed:
		return nil
	case strings.Contains(expr, "zone_hosts"):
		return []sample{{nil, float64(f.Hosts)}}
	default:
		return []sample{{nil, float64(f.InService)}}
	}
}
