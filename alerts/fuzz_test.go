package alerts

import (
	"maps"
	"path"
	"strings"
	"testing"
	"text/template"
	"unicode/utf8"

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
			id := ID{Alert: base, Source: source, Group: group, Member: member}
			posted := builder.Build(id)
			for name, text := range rule.Annotations {
				require.Equal(t, expanded(t, text, id), posted.Annotations[name])
			}
			want := map[string]string{"alertname": rule.Alert, "source": source, "group": group, "member": member, "cluster": label}
			maps.Copy(want, rule.Labels)
			for name, text := range want {
				want[name] = expanded(t, text, id)
			}
			maps.DeleteFunc(want, func(_, value string) bool { return value == "" })
			if base == MemberDown {
				want["host"] = id.label("host")
			}
			if want["severity"] == posted.Labels["severity"] { // The other rules are for groups without settings.
				require.Equal(t, want, posted.Labels)
			}
		}
	})
}

// expanded returns a text with its templates expanded, as Prometheus does.
func expanded(t *testing.T, text string, id ID) string {
	t.Helper()
	if !strings.Contains(text, "{{ $labels.") || text == id.Source || text == id.Group || text == id.Member {
		return text // A value is not a template.
	}
	parsed, err := template.New("").Parse("{{ $labels := . }}" + text)
	require.NoError(t, err)
	var out strings.Builder
	require.NoError(t, parsed.Execute(&out, map[string]string{"source": id.Source, "group": id.Group, "member": id.Member}))
	return out.String()
}
