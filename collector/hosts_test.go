package collector

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/collector/hosts"
	"servicegroup_exporter/collector/tracker"
	"servicegroup_exporter/drivers"
)

// hostSeries returns the series of hosts, zones and causes.
func (b *bench) hostSeries() []string {
	b.t.Helper()
	of := regexp.MustCompile(`(?m)^servicegroup_((?:host_|zone_|member_down_cause).*)$`)
	var lines []string
	for _, found := range of.FindAllStringSubmatch(b.text(), -1) {
		if !strings.HasPrefix(found[1], "member_down_cause") || strings.HasSuffix(found[1], " 1") {
			lines = append(lines, found[1])
		}
	}
	return lines
}

// The members of three sources on one machine die with it, and the machine recovers with the first of them.
func TestHostMetrics(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		nova, neutron, zk := answering(""), answering(""), answering("")
		b.apply(nova, neutron, zk)
		say := func(c1, agent string) {
			nova.say("compute/c1:" + c1 + ":rostered:binary=nova-compute:zone=az1 compute/c2:up:rostered:zone=az2:beat=10m")
			neutron.say("agent/c1.example.org:" + agent + ":rostered:zone=nova agent/c2:up:rostered:zone=nova:beat=10m")
		}
		say("up:beat=0s", "up:beat=0s")
		zk.say("web/w1:up web/c3:up")
		b.scrape(sec)
		atRest := []string{
			`host_suspected{host="c1"} 0`, `host_suspected{host="c2"} 0`,
			`host_up{host="c1"} 1`, `host_up{host="c2"} 1`,
			`zone_hosts{source="a",zone="az1"} 1`, `zone_hosts{source="a",zone="az2"} 1`, `zone_hosts{source="b",zone="nova"} 2`,
			`zone_members_down{source="a",zone="az1"} 0`, `zone_members_down{source="a",zone="az2"} 0`, `zone_members_down{source="b",zone="nova"} 0`,
			`zone_members_in_service{source="a",zone="az1"} 1`, `zone_members_in_service{source="a",zone="az2"} 1`,
			`zone_members_in_service{source="b",zone="nova"} 2`,
		}
		require.Equal(t, atRest, b.hostSeries())

		// One member died: it is not known yet whether the machine did.
		time.Sleep(mins + sec)
		say("down:beat=0s", "up:beat=20s")
		b.scrape(sec)
		text := strings.Join(b.hostSeries(), "\n")
		require.Contains(t, text, `host_up{host="c1"} 1`)
		require.Contains(t, text, `member_down_cause{cause="unknown",group="compute",member="c1",source="a"} 1`)
		require.Contains(t, text, `zone_members_down{source="a",zone="az1"} 1`)

		// The other one reports, after the first one would have.
		say("down:beat=0s", "up:beat=61s")
		b.scrape(sec)
		require.Contains(t, b.hostSeries(), `member_down_cause{cause="process",group="compute",member="c1",source="a"} 1`)

		// Now it dies too. The zone of a host is the smallest.
		time.Sleep(2 * mins)
		say("down:beat=0s", "down:beat=61s")
		b.scrape(sec)
		text = strings.Join(b.hostSeries(), "\n")
		require.Contains(t, text, `host_up{host="c1"} 0`)
		require.Contains(t, text, `host_suspected{host="c1"} 0`)
		require.Contains(t, text, `host_down_since_timestamp_seconds{host="c1",zone="az1"} 9.46684861e+08`)
		require.Contains(t, text, `host_silent_member_timestamp_seconds{binary="nova-compute",group="compute",host="c1",member="c1",source="a"} 9.466848e+08`)
		require.Contains(t, text, `member_down_cause{cause="host",group="agent",member="c1.example.org",source="b"} 1`)
		require.Contains(t, text, `member_down_cause{cause="host",group="compute",member="c1",source="a"} 1`)
		require.Contains(t, b.text(), `servicegroup_member_down{binary="",group="agent",host="c1",member="c1.example.org",source="b",zone="nova"} 1`)

		// What is known counts while a source can't be read, and until it is read again.
		neutron.fail(drivers.ReasonConnect)
		b.scrape(sec)
		require.Contains(t, b.hostSeries(), `host_up{host="c1"} 0`)

		// One member that reports ends it. It is 0 for an hour, so that rules find that it has ended.
		say("down:beat=0s", "up:beat=4m")
		b.scrape(sec)
		text = strings.Join(b.hostSeries(), "\n")
		require.Contains(t, text, `host_up{host="c1"} 1`)
		require.Contains(t, text, `host_down_since_timestamp_seconds{host="c1",zone="az1"} 0`)
		require.NotContains(t, text, "host_silent_member")

		// Also if nothing of the host is left.
		nova.say("compute/c2:up:rostered")
		neutron.say("agent/c2:up:rostered")
		b.scrape(sec)
		require.Contains(t, b.hostSeries(), `host_up{host="c1"} 1`)
		require.Contains(t, b.hostSeries(), `host_suspected{host="c1"} 0`)
		time.Sleep(hour)
		b.scrape(sec)
		require.NotContains(t, strings.Join(b.hostSeries(), "\n"), `"c1"`)
	})
}

// A host on which everything is disabled or forced down is not down.
func TestHostOutOfServiceIsNotDown(t *testing.T) {
	for _, decision := range []string{"disabled", "forced", "disabled:forced"} {
		inTime(t, Options{}, func(t *testing.T, b *bench) {
			nova, cinder := answering(""), answering("")
			b.apply(nova, cinder)
			for _, state := range []string{"up", "down"} {
				nova.say("compute/c1:" + state + ":rostered:beat=0s:" + decision)
				cinder.say("volume/c1@lvm:" + state + ":rostered:beat=0s:" + decision)
				b.scrape(sec)
				require.Contains(t, b.hostSeries(), `host_up{host="c1"} 1`, decision)
				time.Sleep(2 * mins)
			}
		})
	}
}

// A change of the configuration renames hosts, in the labels of members too.
func TestHostNamingIsReloaded(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("compute/c1.example.org:down:rostered:beat=-1h volume/c1:down:rostered:beat=-1h")
		cfg := config("a", d)
		require.NoError(t, b.Apply([]SourceConfig{cfg}))
		b.scrape(sec)
		require.Contains(t, b.hostSeries(), `host_up{host="c1"} 0`)
		cfg.Naming.KeepDomain = true
		require.NoError(t, b.Apply([]SourceConfig{cfg}))
		require.Equal(t, "c1.example.org", b.only().Members[0].Host)
		require.Contains(t, b.text(), `servicegroup_member_down{binary="",group="compute",host="c1.example.org",member="c1.example.org",source="a",zone=""} 1`)
		require.NotContains(t, b.hostSeries(), `host_up{host="c1"} 0`)
		cfg.Naming.Match = regexp.MustCompile(`\A(?:c1)\z`)
		require.NoError(t, b.Apply([]SourceConfig{cfg}))
		require.Contains(t, b.text(), `servicegroup_member_down{binary="",group="compute",host="",member="c1.example.org",source="a",zone=""} 1`)
	})
}

// Rendering finds what changes of each member.
func TestHostMembersAreReused(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("")
		b.apply(d)
		var before []hosts.Member
		for i, step := range []struct {
			words string
			same  bool
		}{
			{"a:up b:up c:up", false},
			{"a:up b:up c:up", true},
			{"a:up b:up:beat=1s c:up", true},
			{"a:up b:up c:up:zone=z", false},
			{"a:up b:up:disabled c:up:zone=z", false},
			{"a:up b:up:disabled c:up:zone=z d:up", false},
			{"a:up:rostered b:up:disabled c:up:zone=z d:up", true},
			{"0:up a:up:rostered b:up:disabled c:up:zone=z d:up", false},
			{"0:up a:down:rostered:beat=-1h b:up:disabled c:up:zone=z d:up", false},
		} {
			d.say(step.words)
			b.scrape(sec)
			now := (*b.sources.Load())[0].shown.Load().hosts
			require.Equal(t, step.same, sameSlice(now, before), "step %d", i)
			members := b.only().Members
			require.Len(t, now, len(members))
			for j := range members {
				require.Equal(t, members[j].onHost(), now[j], "step %d", i)
			}
			before = now
			time.Sleep(sec)
		}
	})
}

func snapshotOf(source string, members ...MemberState) Snapshot {
	for i := range members {
		m := &members[i]
		m.Host, m.service = (&hosts.Naming{}).Host(m.Name), (&hosts.Naming{}).Service(m.Name)
		m.InService = true
	}
	return Snapshot{Source: source, Readable: true, LastSuccess: t0, DownTime: mins, Members: members}
}

func memberOf(group, name, zone string) MemberState {
	return MemberState{Member: drivers.Member{Group: group, Name: name, Zone: zone}, State: Up}
}

// Suspected and late members make a host down before any of them is down by the rule of its service.
func TestHostsBySuspicion(t *testing.T) {
	compute, agent, volume := memberOf("compute", "c1", "az1"), memberOf("agent", "c1", "nova"), memberOf("volume", "c1@lvm", "nova")
	compute.Suspected, compute.LastHeartbeat = true, t0.Add(-26*sec)
	agent.Late, agent.LastHeartbeat = true, t0.Add(-40*sec)
	volume.Late, volume.LastHeartbeat = true, t0.Add(-15*sec)
	snapshots := []Snapshot{snapshotOf("nova", compute), snapshotOf("neutron", agent), snapshotOf("cinder", volume)}
	snapshots[2].ClockOffset = 5 * sec
	found := Hosts(snapshots, HasDead(snapshots))
	require.Len(t, found, 1)
	require.True(t, found[0].IsSuspected())
	require.Equal(t, "az1", found[0].Zone)
	require.Equal(t, t0.Add(-20*sec), found[0].LastProof)
	require.Empty(t, Causes(snapshots), "no member is down")
	require.False(t, found[0].Retained())

	snapshots[1].Readable = false
	require.True(t, Hosts(snapshots, nil)[0].Retained())
	snapshots[2].Members[0].Late = false
	require.False(t, Hosts(snapshots, nil)[0].IsDown())
}

// A member without heartbeats that is up has reported a session timeout before the last poll at the earliest.
func TestCauseWithoutHeartbeats(t *testing.T) {
	died := memberOf("web", "c1", "")
	died.State, died.DecidedDown, died.DownSince, died.SessionTimeout = Down, true, t0.Add(-30*sec), 10*sec
	for timeout, want := range map[time.Duration]hosts.Cause{
		5 * sec: hosts.CauseProcess, 19 * sec: hosts.CauseProcess, 20 * sec: hosts.CauseUnknown, 40 * sec: hosts.CauseUnknown,
	} {
		other := memberOf("db", "c1:3306", "")
		other.SessionTimeout = timeout
		snapshots := []Snapshot{snapshotOf("zk", died, other)}
		require.Equal(t, want, Causes(snapshots)[MemberKey{"zk", died.Key()}], timeout)
	}
	alone := []Snapshot{snapshotOf("zk", died)}
	require.Equal(t, hosts.CauseUnknown, Causes(alone)[MemberKey{"zk", died.Key()}])

	// With a learned interval it is known sooner.
	died.SessionTimeout, died.Interval = mins, 10*sec
	other := memberOf("db", "c1", "")
	for at, want := range map[time.Duration]hosts.Cause{-17 * sec: hosts.CauseProcess, -18 * sec: hosts.CauseUnknown} {
		other.LastHeartbeat = t0.Add(at)
		snapshots := []Snapshot{snapshotOf("nova", died), snapshotOf("cinder", other)}
		require.Equal(t, want, Causes(snapshots)[MemberKey{"nova", died.Key()}], at)
	}
}

func BenchmarkHostsAtRest(b *testing.B) {
	members := make([]hosts.Member, 0, 30000)
	for _, group := range []string{"agent", "compute", "volume"} {
		for i := range 10000 {
			name := "compute-" + string(rune('a'+i%26)) + time.Duration(i).String()
			members = append(members, hosts.Member{Host: name, Group: group, InService: true, Zone: "az1"})
		}
	}
	board, d := &hostBoard{}, newDescs(false)
	sources := []*rendered{{hosts: members}}
	b.Run("at rest", func(b *testing.B) {
		for b.Loop() {
			board.update(sources, d)
		}
	})
	b.Run("a member changes", func(b *testing.B) {
		for b.Loop() {
			board.madeOf = nil
			board.update(sources, d)
		}
	})
}

// Metrics of hosts rest on suspicions too, until a member is down by its service's own rule.
func TestHostMetricsBySuspicion(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		nova, neutron := answering(""), answering("")
		configs := []SourceConfig{config("nova", nova), config("neutron", neutron)}
		for i := range configs {
			configs[i].Suspicion = tracker.Suspicion{Enabled: true, Margin: 10 * sec}
		}
		require.NoError(t, b.Apply(configs))
		step := func(state string, last time.Time) {
			words := beating("c2", time.Now()) + " " + strings.Replace(beating("c1", last), ":up:", ":"+state+":", 1)
			nova.say(words)
			neutron.say(strings.ReplaceAll(words, "compute/", "agent/"))
			b.scrape(sec)
		}
		requireHost := func(up, suspected string) {
			t.Helper()
			require.Subset(t, b.hostSeries(), []string{
				`host_up{host="c1"} ` + up, `host_suspected{host="c1"} ` + suspected, `host_up{host="c2"} 1`,
			})
		}
		for range 6 {
			time.Sleep(10 * sec)
			step("up", time.Now())
		}
		last := time.Now()
		requireHost("1", "0")
		for range 3 {
			time.Sleep(9 * sec)
			step("up", last)
		}
		requireHost("0", "1")
		require.Contains(t, b.hostSeries(), `zone_members_down{source="nova",zone="az1"} 1`)
		require.Contains(t, b.text(), fmt.Sprintf(`servicegroup_host_down_since_timestamp_seconds{host="c1",zone="az1"} %g`, float64(last.Unix())))
		neutron.fail(drivers.ReasonConnect)
		nova.fail(drivers.ReasonConnect)
		b.scrape(sec)
		requireHost("0", "1")
		step("down", last)
		requireHost("0", "0")
		step("up", time.Now())
		requireHost("1", "0")
	})
}

// The process before this one may have said that a host is down. A reload before the first scrape does not change that.
func TestHostThatWasDownBeforeARestart(t *testing.T) {
	const up, down = "compute/c1:up agent/c1:up", "compute/c1:down agent/c1:down"
	lives(t,
		func(t *testing.T, b *bench, d *fakeDriver) {
			d.say(up)
			b.scrape(sec)
			d.say(down)
			b.scrape(sec)
			require.Contains(t, b.hostSeries(), `host_up{host="c1"} 0`)
		},
		func(t *testing.T, b *bench, d *fakeDriver) {
			b.hosts.down = nil // The registry of the test has asked for series before there was a source.
			d.say(up)
			require.NoError(t, b.Apply([]SourceConfig{changed("a", "2", d)}))
			b.scrape(sec)
			require.Contains(t, b.hostSeries(), `host_down_since_timestamp_seconds{host="c1",zone="-"} 0`)
		},
	)
}
