package hosts_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/collector/hosts"
)

// member parses "GROUP/NAME:WORD:WORD". The words are down, suspected, late, out (of service) and zone=NAME.
func member(text string) hosts.Member {
	words := strings.Split(text, ":")
	group, name, _ := strings.Cut(words[0], "/")
	m := hosts.Member{Host: (&hosts.Naming{}).Host(name), Group: group, Service: (&hosts.Naming{}).Service(name), InService: true}
	for _, word := range words[1:] {
		switch word {
		case "down":
			m.Down = true
		case "suspected":
			m.Suspected = true
		case "late":
			m.Late = true
		case "out":
			m.InService = false
		default:
			m.Zone = strings.TrimPrefix(word, "zone=")
		}
	}
	return m
}

// members parses members with spaces between them.
func members(text string) []hosts.Member {
	var all []hosts.Member
	for word := range strings.FieldsSeq(text) {
		all = append(all, member(word))
	}
	return all
}

func TestHostIsDown(t *testing.T) {
	const up, suspected, confirmed = "up", "suspected", "confirmed"
	for text, want := range map[string]string{
		// Two services, of which one is down or suspected, and none reports.
		"compute/h:down agent/h:down":                             confirmed,
		"compute/h:down agent/h:suspected":                        confirmed,
		"compute/h:down agent/h:late":                             confirmed,
		"compute/h:suspected agent/h:suspected":                   suspected,
		"compute/h:suspected agent/h:late":                        suspected,
		"compute/h:suspected agent/h:late volume/h@lvm:suspected": suspected,
		"compute/h:late agent/h:late":                             up,
		// One member that reports ends it, also one that is out of service.
		"compute/h:down agent/h":                       up,
		"compute/h:suspected agent/h":                  up,
		"compute/h:down agent/h:down volume/h":         up,
		"compute/h:down agent/h:down volume/h:out":     up,
		"compute/h:suspected agent/h:late x/h y/h":     up,
		"compute/h:down agent/h.example.org":           up,
		"compute/h:down agent/h.example.org:suspected": confirmed,
		// What is out of service and silent says nothing.
		"compute/h:down agent/h:down:out":                    up,
		"compute/h:down agent/h:down volume/h:down:out":      confirmed,
		"compute/h:down:out agent/h:down:out":                up,
		"compute/h:late agent/h:late volume/h:down:out":      up,
		"compute/h:suspected:out agent/h:late volume/h:late": up,
		// One service says nothing about its machine: backends of one process, or one service in two sources.
		"compute/h:down":                                   "",
		"volume/h@lvm:down volume/h@ceph:down":             "",
		"volume/h@lvm#a:down volume/h#b:suspected":         "",
		"compute/h:down compute/h.example.org:down":        "",
		"volume/h@lvm:down backup/h:down":                  confirmed,
		"web/h:down web/h":                                 "",
		"volume/h@lvm:down volume/h@a:down agent/h":        up,
		"volume/h@x:down volume/h@y:down agent/h:down:out": up,
	} {
		got := ""
		for _, s := range hosts.States([][]hosts.Member{members(text)}) {
			switch {
			case !s.IsKnown():
			case s.IsSuspected():
				got = suspected
			case s.IsDown():
				got = confirmed
			default:
				got = up
			}
		}
		require.Equal(t, want, got, text)
	}
}

func TestHostsOfSeveralSources(t *testing.T) {
	states := hosts.States([][]hosts.Member{
		members("compute/c1:down compute/c2:down compute/c3"),
		members("agent/c1:late agent/c2"),
		{{Group: "compute", Service: "c9", InService: true, Down: true}}, // without a host
		members("compute/c3"),                                            // the roster of another source: the same service
	})
	require.Len(t, states, 3)
	require.Equal(t, []string{"c1", "c2", "c3"}, []string{states[0].Name, states[1].Name, states[2].Name})
	require.True(t, states[0].IsDown())
	require.False(t, states[1].IsDown())
	require.Equal(t, 1, states[1].Reporting)
	require.False(t, states[2].IsKnown())
}

func TestZones(t *testing.T) {
	zones := hosts.Zones(members("compute/c1:down:zone=a compute/c2:suspected:zone=a compute/c3:zone=b compute/c4:down:out:zone=b " +
		"compute/c5:down:zone=c volume/c5@x:down:zone=c compute/c6:out:zone=d compute/c7:down compute/c8:late:zone=b"))
	require.Equal(t, []hosts.Zone{
		{Name: "a", InService: 2, Down: 2, Hosts: 2},
		{Name: "b", InService: 2, Down: 0, Hosts: 2},
		{Name: "c", InService: 2, Down: 2, Hosts: 1},
		{Name: "d"},
	}, zones)
	down := map[string]bool{}
	for _, z := range zones {
		down[z.Name] = z.IsDown()
	}
	require.Equal(t, map[string]bool{"a": true, "b": false, "c": false, "d": false}, down)
}

func TestCauseOf(t *testing.T) {
	died := time.Unix(1000, 0)
	downHost, upHost := hosts.State{InService: 2, Down: 2}, hosts.State{InService: 2, Down: 1, Reporting: 1}
	for _, test := range []struct {
		host     *hosts.State
		reported time.Time
		want     hosts.Cause
	}{
		{&downHost, died, hosts.CauseHost},
		{&downHost, died.Add(time.Hour), hosts.CauseHost},
		{&upHost, time.Time{}, hosts.CauseUnknown},
		{&upHost, died.Add(-time.Minute), hosts.CauseUnknown},
		{&upHost, died.Add(12 * time.Second), hosts.CauseUnknown}, // The machine could have died right after that.
		{&upHost, died.Add(12*time.Second + 1), hosts.CauseProcess},
	} {
		require.Equal(t, test.want, hosts.CauseOf(test.host, died, 12*time.Second, test.reported))
	}
}
