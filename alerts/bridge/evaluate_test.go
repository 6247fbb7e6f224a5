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
	"servicegroup_exporter/collector/hosts"
	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
)

var began = time.Date(2026, 11, 25, 3, 0, 0, 0, time.UTC)

// snapshot returns the snapshot of a readable source. Each word is a member, as group/name:state:flags; the default group is
// "g".
func snapshot(source, members string) collector.Snapshot {
	s := collector.Snapshot{Source: source, Readable: true, Polled: true}
	groups := map[string]collector.GroupState{}
	for word := range strings.FieldsSeq(members) {
		parts := strings.Split(word, ":")
		m := collector.MemberState{Since: began, InService: true}
		m.Group, m.Name = "g", parts[0]
		if group, name, ok := strings.Cut(parts[0], "/"); ok {
			m.Group, m.Name = group, name
		}
		m.Host = (&hosts.Naming{}).Host(m.Name)
		for _, flag := range parts[1:] {
			switch flag {
			case "up":
				m.State = collector.Up
			case "down":
				m.State, m.DecidedDown, m.DownSince = collector.Down, true, began
			case "unknown": // After "down", it was down before.
				m.State = collector.Unknown
			case "suspected":
				m.Suspected, m.SuspectedSince, m.SilentSince = true, began.Add(25*time.Second), began
			case "late":
				m.Late = true
			case "maintenance":
				m.InService, m.DecidedDown = false, false
			default:
				panic(flag)
			}
		}
		g := groups[m.Group]
		g.Name, g.Known, g.LastKnown = m.Group, true, began
		if m.InService {
			g.InService++
		}
		if m.DecidedDown {
			g.Down++
		}
		groups[m.Group] = g
		s.Members = append(s.Members, m)
	}
	s.Groups = slices.Collect(maps.Values(groups))
	return s
}

// lost returns a snapshot as it is when its source can no longer be read.
func lost(s collector.Snapshot) collector.Snapshot {
	s.Readable = false
	s.Members, s.Groups = slices.Clone(s.Members), slices.Clone(s.Groups)
	for i := range s.Members {
		s.Members[i].State = collector.Unknown
	}
	return inDoubt(s)
}

// inDoubt returns a snapshot as it is when its groups are not known.
func inDoubt(s collector.Snapshot) collector.Snapshot {
	s.Groups = slices.Clone(s.Groups)
	for i := range s.Groups {
		s.Groups[i].Known = false
	}
	return s
}

// unread returns the snapshot of a source that was not read in this run.
func unread(source string) collector.Snapshot { return collector.Snapshot{Source: source} }

// newBuilder returns a builder for the default configuration; change may change that.
func newBuilder(change func(*config.Alerting)) *alerts.Builder {
	c := config.DefaultAlerting()
	if change != nil {
		change(&c)
	}
	return alerts.NewBuilder(&c)
}

// brief returns alerts as "Alert source/group/member", or "HostDown host", without the common prefix of their names.
func brief(ids ...alerts.ID) []string {
	list := []string{}
	for _, id := range ids {
		about := strings.TrimRight(fmt.Sprintf("%s/%s/%s", id.Source, id.Group, id.Member), "/")
		switch id.Alert {
		case alerts.HostDown:
			about = id.Host
		case alerts.ZoneDown:
			about = id.Source + "/" + id.Zone
		}
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
		{"one is suspected", "a:up b:up:suspected", nil, []string{"MemberSuspected s/g/b"}},
		{"one is suspected and down", "a:up b:down:suspected c:up", nil, []string{"MemberDown s/g/b"}},
		{"one is suspected in maintenance", "a:up b:up:suspected:maintenance", nil, nil},
		{"all are suspected", "a:up:suspected b:up:suspected", nil, []string{"MemberSuspected s/g/a", "MemberSuspected s/g/b"}},
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
		{"another ratio", "h/a:up h/b:down h/c:down", minimum, []string{"MemberDown s/h/b", "MemberDown s/h/c"}},
		{
			"five of nine in several groups", "a:down b:down c:down h/a:down h/b:down h/c:up h/d:up h/e:up h/f:up", nil,
			[]string{
				"HostDown a", "HostDown b", "MemberDown s/g/a", "MemberDown s/g/b", "MemberDown s/g/c", "MemberDown s/h/a", "MemberDown s/h/b",
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
		{"one is out of service", "a:up b:down:maintenance", nil, nil},
		{"all are out of service", "a:down:maintenance b:up:maintenance", nil, nil},
		{"the rest is out of service", "a:down b:up:maintenance", nil, []string{"MemberDown s/g/a", "Outage s/g"}},
		{"below the minimum", "a:up b:down c:down", minimum, []string{
			"MemberDown s/g/b", "MemberDown s/g/c", "Degraded s/g", "BelowMinimum s/g",
		}},
		{"at the minimum", "a:up b:up c:down", minimum, []string{"MemberDown s/g/c"}},
		{"below the minimum because one is out of service", "a:up b:up:maintenance", minimum, []string{"BelowMinimum s/g"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := snapshot("s", test.members)
			for _, retained := range []bool{false, true} {
				holds := evaluate([]collector.Snapshot{s}, newBuilder(test.change))
				require.ElementsMatch(t, test.want, brief(slices.Collect(maps.Keys(holds))...))
				for id, c := range holds {
					require.Equal(t, retained, c.retained, "%v", id)
				}
				s = lost(s)
			}
		})
	}
}

// The collector decides which groups there are, and how many of their members are down.
func TestEvaluateReadsDecisions(t *testing.T) {
	minimum := newBuilder(func(c *config.Alerting) { c.Groups = []config.AlertGroup{{Group: "g", MinMembers: 2}} })
	s := snapshot("s", "a:up b:up c:up")
	s.Groups[0].Down = 3
	require.Equal(t, []string{"BelowMinimum s/g", "Degraded s/g", "Outage s/g"}, briefOf(evaluate([]collector.Snapshot{s}, minimum)))
	expected := collector.Snapshot{Source: "s", Groups: []collector.GroupState{{Name: "g", Known: true, LastKnown: began}}}
	require.Equal(t, []string{"BelowMinimum s/g"}, briefOf(evaluate([]collector.Snapshot{expected}, minimum)))
	expected.Groups[0].LastKnown = time.Time{}
	require.Empty(t, evaluate([]collector.Snapshot{expected}, minimum), "no poll has known the group")
}

func briefOf(holds map[alerts.ID]condition) []string {
	return slices.Sorted(slices.Values(brief(slices.Collect(maps.Keys(holds))...)))
}

func TestConditionsAreRetained(t *testing.T) {
	s := snapshot("s", "a:down b:down c:down:unknown h/d:down h/e:down")
	s.Groups[slices.IndexFunc(s.Groups, func(g collector.GroupState) bool { return g.Name == "h" })].Known = false
	retained := map[string]bool{}
	for id, c := range evaluate([]collector.Snapshot{s}, newBuilder(nil)) {
		retained[brief(id)[0]] = c.retained
	}
	require.Equal(t, map[string]bool{
		"MemberDown s/g/a": false, "MemberDown s/g/b": false, "MemberDown s/g/c": true, "MemberDown s/h/d": false, "MemberDown s/h/e": false,
		"Outage s/g": false, "Degraded s/g": false, "Outage s/h": true, "Degraded s/h": true, "MassFailure s": true,
	}, retained)
}

// A source has one alert for each kind of problem, however many groups have it. It is retained while the source can't be read.
func TestSourceProblems(t *testing.T) {
	s := snapshot("s", "a:up")
	require.Empty(t, evaluate([]collector.Snapshot{s}, newBuilder(nil)))
	for _, kinds := range [][]drivers.ProblemKind{
		{drivers.ProblemAbsent}, {drivers.ProblemForeign}, {drivers.ProblemUnmatched}, {drivers.ProblemUnreadable, drivers.ProblemAbsent},
	} {
		s.Problems = nil
		want := map[alerts.ID]condition{}
		for _, kind := range kinds {
			s.Problems = append(s.Problems, drivers.Problem{Kind: kind, Group: "g"}, drivers.Problem{Kind: kind, Group: "h"})
			want[alerts.ID{Alert: alerts.SourceProblem, Source: "s", Problem: string(kind)}] = condition{hold: alerts.SourceProblemHold}
		}
		require.Equal(t, want, evaluate([]collector.Snapshot{s}, newBuilder(nil)))
		for id, c := range evaluate([]collector.Snapshot{lost(s)}, newBuilder(nil)) {
			require.True(t, c.retained)
			require.Equal(t, id.Problem, newBuilder(nil).Build(id, c.facts).Labels["problem"])
		}
	}
}

func TestUndecided(t *testing.T) {
	is := undecided([]collector.Snapshot{unread("unread"), snapshot("s", ""), lost(snapshot("lost", ""))},
		func(source string) bool { return source != "removed" })
	for source, want := range map[string]bool{"unread": true, "s": false, "lost": false, "nova/cell1": true, "removed": false} {
		require.Equal(t, want, is(alerts.ID{Source: source}, &alerts.Facts{}), source)
	}
}

// A host that is down has one alert, with the services of all sources.
func TestEvaluateHosts(t *testing.T) {
	confirmed := newBuilder(func(c *config.Alerting) { c.PageConfirmedHosts = true })
	for _, test := range []struct {
		name                     string
		nova, neutron            string
		suspected, fromConfirmed []string // the alerts about hosts, with both settings
	}{
		{"all report", "compute/c1:up", "agent/c1:up", nil, nil},
		{"one reports", "compute/c1:down", "agent/c1:up", nil, nil},
		{"both are down", "compute/c1:down", "agent/c1:down", []string{"c1"}, []string{"c1"}},
		{"one is down, and one is suspected", "compute/c1:down", "agent/c1:up:suspected", []string{"c1"}, []string{"c1"}},
		{"both are suspected", "compute/c1:up:suspected", "agent/c1:up:suspected", []string{"c1"}, nil},
		{"one is suspected, and one is late", "compute/c1:up:suspected", "agent/c1:up:late", []string{"c1"}, nil},
		{"both are late, as in a stall", "compute/c1:up:late", "agent/c1:up:late", nil, nil},
		{"one service", "compute/c1:down", "agent/c2:up", nil, nil},
		{"everything is out of service", "compute/c1:down:maintenance", "agent/c1:down:maintenance", nil, nil},
		{"one is out of service, and the other is down", "compute/c1:down:maintenance", "agent/c1:down", nil, nil},
		{"two hosts", "compute/c1:down compute/c2:down", "agent/c1:down agent/c2.example.org:down", []string{"c1", "c2"}, []string{"c1", "c2"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			snapshots := []collector.Snapshot{snapshot("nova", test.nova), snapshot("neutron", test.neutron)}
			require.Equal(t, test.suspected, hostsDown(evaluate(snapshots, newBuilder(nil))))
			require.Equal(t, test.fromConfirmed, hostsDown(evaluate(snapshots, confirmed)))
		})
	}
}

// hostsDown returns the hosts about which alerts hold.
func hostsDown(holds map[alerts.ID]condition) []string {
	var names []string
	for id := range holds {
		if id.Alert == alerts.HostDown {
			names = append(names, id.Host)
		}
	}
	slices.Sort(names)
	return names
}

// The alert about a host says what is gone, and stays the same when it is confirmed. Those about its members say why they are down.
func TestHostFacts(t *testing.T) {
	nova, cinder := snapshot("nova", "compute/c1:up:suspected"), snapshot("cinder", "volume/c1@lvm:up:suspected volume/c1@ceph:up:suspected")
	nova.Members[0].Binary, nova.Members[0].Zone = "nova-compute", "az1"
	id := alerts.ID{Alert: alerts.HostDown, Host: "c1", Zone: "az1"}
	want := condition{facts: alerts.Facts{Since: began, Services: []alerts.Service{
		{Source: "cinder", Group: "volume", Members: 2}, {Source: "nova", Group: "compute", Binary: "nova-compute", Members: 1},
	}}}
	holds := evaluate([]collector.Snapshot{nova, cinder}, newBuilder(nil))
	require.Equal(t, want, holds[id])
	built := newBuilder(nil).Build(id, holds[id].facts)
	require.True(t, built.First)
	require.Equal(t, map[string]string{
		"alertname": "ServiceGroupHostDown", "host": "c1", "zone": "az1", "severity": "critical", "scope": "host",
	}, built.Labels)
	require.Equal(t, "Host c1 is down", built.Annotations["summary"])
	require.Equal(t, "http://localhost:10199/host?host=c1", built.Annotations["dashboard_url"])
	require.Equal(t, built.Annotations["dashboard_url"], built.GeneratorURL)
	require.Equal(t, "No service on host c1, zone az1, has reported since 2026-11-25 03:00:00 UTC. This is suspected: none of them is down by "+
		"the rule of its service yet. Gone are volume (cinder, 2 members), nova-compute (nova).", built.Annotations["description"])

	// It is confirmed, while another source can't be read.
	nova.Members[0].DecidedDown, nova.Members[0].Suspected, nova.Members[0].DownSince = true, false, began
	want.facts.Confirmed, want.retained = true, true
	holds = evaluate([]collector.Snapshot{nova, lost(cinder)}, newBuilder(nil))
	require.Equal(t, want, holds[id])
	require.Contains(t, newBuilder(nil).Build(id, want.facts).Annotations["description"], "This is confirmed: at least one of them is down")
	down := alerts.ID{Alert: alerts.MemberDown, Source: "nova", Group: "compute", Member: "c1", Binary: "nova-compute", Zone: "az1", Host: "c1"}
	require.Contains(t, newBuilder(nil).Build(down, holds[down].facts).Annotations["description"], " Its host is down.")

	// Another service on the host has reported since.
	cinder = snapshot("cinder", "volume/c1@lvm:up")
	cinder.Members[0].LastHeartbeat, cinder.Members[0].Interval, nova.Members[0].Interval = began.Add(time.Minute), 10*time.Second, 10*time.Second
	holds = evaluate([]collector.Snapshot{nova, cinder}, newBuilder(nil))
	require.NotContains(t, holds, id)
	require.Contains(t, newBuilder(nil).Build(down, holds[down].facts).Annotations["description"], "The process died and not its host")
	holds = evaluate([]collector.Snapshot{nova}, newBuilder(nil))
	require.Contains(t, newBuilder(nil).Build(down, holds[down].facts).Annotations["description"], "It is not known whether its host is down")
}

// After a restart, an alert about a host fires until all sources of its services were read and one member on the host has reported.
func TestUndecidedHosts(t *testing.T) {
	id := alerts.ID{Alert: alerts.HostDown, Host: "c1"}
	facts := &alerts.Facts{Since: began, Services: []alerts.Service{{Source: "nova", Group: "compute"}, {Source: "neutron", Group: "agent"}}}
	up := snapshot("neutron", "agent/c1:up")
	up.Members[0].LastHeartbeat = began.Add(time.Minute)
	silent := snapshot("neutron", "agent/c1:up")
	silent.Members[0].LastHeartbeat = began.Add(-5 * time.Second)
	down := snapshot("nova", "compute/c1:down")
	pending := func(source string) bool { return source == "nova" }
	for name, test := range map[string]struct {
		snapshots []collector.Snapshot
		want      bool
	}{
		"no source was read":                      {[]collector.Snapshot{unread("nova"), unread("neutron")}, true},
		"one was not read":                        {[]collector.Snapshot{unread("nova"), silent}, true},
		"one is not found yet":                    {[]collector.Snapshot{silent}, true},
		"a member has reported":                   {[]collector.Snapshot{unread("nova"), up}, false},
		"no member has reported":                  {[]collector.Snapshot{down, silent}, true},
		"a member has reported, and all are read": {[]collector.Snapshot{down, up}, false},
		"there are no members on the host":        {[]collector.Snapshot{snapshot("nova", "x/y:up"), snapshot("neutron", "")}, false},
		"one service is left":                     {[]collector.Snapshot{down, snapshot("neutron", "")}, false},
	} {
		require.Equal(t, test.want, undecided(test.snapshots, pending)(id, facts), name)
	}
}
