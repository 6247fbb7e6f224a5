package bridge

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/collector"
	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
)

var began = time.Date(2026, 11, 25, 3, 0, 0, 0, time.UTC)

// snapshot returns the snapshot of a readable source. Each word is a member, as group/name:state:flags; the default group is
// "g".
func snapshot(source, members string) collector.Snapshot {
	s := collector.Snapshot{Source: source, Readable: true}
	for word := range strings.FieldsSeq(members) {
		parts := strings.Split(word, ":")
		m := collector.MemberState{Since: began}
		m.Group, m.Name = "g", parts[0]
		if group, name, ok := strings.Cut(parts[0], "/"); ok {
			m.Group, m.Name = group, name
		}
		for _, flag := range parts[1:] {
			switch flag {
			case "up":
				m.State = collector.Up
			case "down":
				m.State = collector.Down
			case "doubt":
				m.InDoubt = true
			case "damaged": // The state stays unknown.
			case "disabled":
				m.Enabled = drivers.FlagNo
			case "auto":
				m.Enabled, m.DisabledReason = drivers.FlagNo, "AUTO: Connection to libvirt lost"
			case "forced":
				m.ForcedDown = drivers.FlagYes
			case "fenced":
				m.ForcedDown, m.Fenced = drivers.FlagYes, true
			default:
				panic(flag)
			}
		}
		s.Members = append(s.Members, m)
	}
	return s
}

// unreadable returns the snapshot of a source that can't be read.
// unreadable returns the snapshot of a source that can't be read.
func unreadable(source string) collector.Snapshot { return collector.Snapshot{Source: source} }

// newBuilder returns a builder for the default configuration; change may change that.
func newBuilder(change func(*config.Alerting)) *alerts.Builder {
	c := config.DefaultAlerting()
	if change != nil {
		change(&c)
	}
	return alerts.NewBuilder(&c)
}

// brief returns alerts as "Alert source/group/member", without the common prefix of their names.
func brief(ids ...alerts.ID) []string {
	list := []string{}
	for _, id := range ids {
		about := strings.TrimRight(fmt.Sprintf("%s/%s/%s", id.Source, id.Group, id.Member), "/")
		list = append(list, strings.TrimPrefix(id.Alert, "ServiceGroup")+" "+about)
	}
	return list
}

func never(string) bool { return false }

func TestEvaluate(t *testing.T) {
	minimum := func(c *config.Alerting) {
		c.Groups = []config.AlertGroup{{Source: "s", Group: "g", MinMembers: 2}, {Group: "h", DegradedRatio: 0.9}}
	}
	for _, test := range []struct {
		name    string
		members string
		change  func(*config.Alerting)
		want    []string
	}{
		{"all are up", "a:up b:up", nil, nil},
		{"one of two is down", "a:up b:down", nil, []string{"MemberDown s/g/b"}},
		{"the only one is down", "a:down", nil, []string{"MemberDown s/g/a", "Outage s/g"}},
		{"a quarter, but only one, is down", "a:up b:up c:up d:down", nil, []string{"MemberDown s/g/d"}},
		{
			"two of eight are down", "a:up b:up c:up d:up e:up f:up x:down y:down", nil,
			[]string{"MemberDown s/g/x", "MemberDown s/g/y", "Degraded s/g"},
		},
		{
			"two of nine are down", "a:up b:up c:up d:up e:up f:up i:up x:down y:down", nil,
			[]string{"MemberDown s/g/x", "MemberDown s/g/y"},
		},
		{
			"another ratio", "h/a:up h/b:down h/c:down", minimum,
			[]string{"MemberDown s/h/b", "MemberDown s/h/c", "BelowMinimum s/g"},
		},
		{
			"five of nine in several groups", "a:down b:down c:down h/a:down h/b:down h/c:up h/d:up h/e:up h/f:up", nil,
			[]string{
				"MemberDown s/g/a", "MemberDown s/g/b", "MemberDown s/g/c", "MemberDown s/h/a", "MemberDown s/h/b",
				"Outage s/g", "Degraded s/g", "Degraded s/h", "MassFailure s",
			},
		},
		{
			"half of ten", "a:down b:down c:down d:down e:down k/a:up k/b:up k/c:up k/d:up k/e:up", nil,
			[]string{
				"MemberDown s/g/a", "MemberDown s/g/b", "MemberDown s/g/c", "MemberDown s/g/d", "MemberDown s/g/e",
				"Outage s/g", "Degraded s/g",
			},
		},
		{"disabled by an operator", "a:up b:down:disabled", nil, nil},
		{"disabled by itself", "a:up b:down:auto", nil, []string{"MemberDown s/g/b"}},
		{"forced down while up", "a:up b:down:forced", nil, nil},
		{"down before it was forced down", "a:up b:down:fenced", nil, []string{"MemberDown s/g/b"}},
		{"all disabled", "a:down:disabled b:up:disabled", nil, nil},
		{"the rest is disabled", "a:down b:up:disabled", nil, []string{"MemberDown s/g/a", "Outage s/g"}},
		{"below the minimum", "a:up b:down c:down", minimum, []string{
			"MemberDown s/g/b", "MemberDown s/g/c", "Degraded s/g", "BelowMinimum s/g",
		}},
		{"at the minimum", "a:up b:up c:down", minimum, []string{"MemberDown s/g/c"}},
		{"below the minimum because one is disabled", "a:up b:up:disabled", minimum, []string{"BelowMinimum s/g"}},
		{"the group does not exist", "h/a:up", minimum, []string{"BelowMinimum s/g"}},
		{"a member that may be up makes the group unknown", "a:down b:doubt", nil, []string{"MemberDown s/g/a"}},
		{"a damaged entry does not make the group unknown", "a:down b:damaged", nil, []string{"MemberDown s/g/a", "Outage s/g"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			firing, _ := evaluate([]collector.Snapshot{snapshot("s", test.members)}, newBuilder(test.change), never)
			require.ElementsMatch(t, test.want, brief(slices.Collect(maps.Keys(firing))...))
		})
	}
}

func TestEvaluateNovaAPIDatabase(t *testing.T) {
	s := snapshot("s", "")
	s.ListsDatabases = true
	firing, _ := evaluate([]collector.Snapshot{s}, newBuilder(func(c *config.Alerting) {
		c.Groups = []config.AlertGroup{{Source: "s", Group: "g", MinMembers: 2}}
	}), never)
	require.Empty(t, firing)
}

func TestUnknown(t *testing.T) {
	_, unknown := evaluate([]collector.Snapshot{
		unreadable("lost"), snapshot("s", "a:up b:doubt h/c:damaged i/d:up"),
	}, newBuilder(nil), func(source string) bool { return source == "nova/cell1" })
	for id, want := range map[alerts.ID]bool{
		{Alert: alerts.MemberDown, Source: "lost", Group: "g", Member: "a"}:       true,
		{Alert: alerts.Outage, Source: "lost", Group: "g"}:                        true,
		{Alert: alerts.MemberDown, Source: "s", Group: "g", Member: "a"}:          false,
		{Alert: alerts.MemberDown, Source: "s", Group: "g", Member: "b"}:          true,
		{Alert: alerts.MemberDown, Source: "s", Group: "g", Member: "left"}:       false,
		{Alert: alerts.Outage, Source: "s", Group: "g"}:                           true,
		{Alert: alerts.MassFailure, Source: "s"}:                                  true,
		{Alert: alerts.MemberDown, Source: "s", Group: "h", Member: "c"}:          true,
		{Alert: alerts.Outage, Source: "s", Group: "h"}:                           false,
		{Alert: alerts.Outage, Source: "s", Group: "i"}:                           false,
		{Alert: alerts.MemberDown, Source: "nova/cell1", Group: "g", Member: "a"}: true,
		{Alert: alerts.MemberDown, Source: "removed", Group: "g", Member: "a"}:    false,
	} {
		require.Equal(t, want, unknown(id), "%v", id)
	}
}
