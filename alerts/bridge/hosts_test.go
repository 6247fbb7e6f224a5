package bridge

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/collector"
	"servicegroup_exporter/config"
)

// The alert about a host is posted first, in the request with what it inhibits. It stays the same from suspicion over the confirmation and a
// restart, in which a source can't be read, until a member on the host has reported.
func TestHostIsOneAlert(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder, f := t.TempDir(), &receiver{}
		r := newTestBridge(t, folder)
		r.transport = f
		const am = "http://am1"
		r.fake.set(snapshot("nova", "compute/c1:up compute/c2:up"), snapshot("neutron", "agent/c1:up agent/c2:up"))
		r.configure(nil, am)
		stop := r.run()
		time.Sleep(7 * time.Second)
		synctest.Wait()
		require.Empty(t, f.received())

		suspected := time.Now()
		r.fake.set(snapshot("nova", "compute/c1:up:suspected compute/c2:up"), snapshot("neutron", "agent/c1:up:late agent/c2:up"))
		time.Sleep(fastResend / 2) // one tick
		synctest.Wait()
		posts := f.batches()
		require.Len(t, posts, 1)
		require.Equal(t, []string{"HostDown c1", "MemberSuspected nova/compute/c1"}, about(posts[0]))
		first := posts[0][0]
		require.Contains(t, first.Annotations["description"], "This is suspected")
		require.WithinRange(t, first.StartsAt, suspected, time.Now())

		dead := snapshot("nova", "compute/c1:down compute/c2:up")
		r.fake.set(dead, snapshot("neutron", "agent/c1:up:late agent/c2:up"))
		time.Sleep(fastResend)
		synctest.Wait()
		posts = f.batches()
		confirmed := posts[len(posts)-1][0]
		require.Contains(t, confirmed.Annotations["description"], "This is confirmed")
		require.Equal(t, first.Labels, confirmed.Labels)
		require.Equal(t, first.StartsAt, confirmed.StartsAt)
		stop()

		// After a restart, neutron can't be read, and then it is not known yet that its agent is late.
		r = newTestBridge(t, folder)
		r.transport = f
		r.fake.set(dead, unread("neutron"))
		r.configure(nil, am)
		r.run()
		for range 2 {
			time.Sleep(fastResend)
			synctest.Wait()
			posts = f.batches()
			again := posts[len(posts)-1][0]
			require.Equal(t, confirmed.Labels, again.Labels)
			require.Equal(t, confirmed.StartsAt, again.StartsAt)
			require.InDelta(t, 1, r.value("alerts_retained", ""), 0)
			silent := snapshot("neutron", "agent/c1:up agent/c2:up")
			silent.Members[0].LastHeartbeat = began.Add(-time.Second)
			r.fake.set(dead, silent)
		}

		back := snapshot("neutron", "agent/c1:up agent/c2:up")
		back.Members[0].LastHeartbeat = began.Add(time.Minute)
		r.fake.set(dead, back)
		time.Sleep(fastResend)
		synctest.Wait()
		f.received()
		time.Sleep(time.Minute)
		synctest.Wait()
		require.NotContains(t, about(f.received()), "HostDown c1")
	})
}

// With page: confirmed, the alert begins with the first death.
func TestConfirmedHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &receiver{}
		r := newTestBridge(t, "")
		r.transport = f
		r.fake.set(snapshot("nova", "compute/c1:up:suspected"), snapshot("neutron", "agent/c1:up:suspected"))
		r.configure(func(c *config.Alerting) { c.PageConfirmedHosts = true }, "http://am1")
		r.run()
		time.Sleep(time.Second)
		require.ElementsMatch(t, []string{"MemberSuspected nova/compute/c1", "MemberSuspected neutron/agent/c1"}, about(f.received()))
		r.fake.set(snapshot("nova", "compute/c1:down"), snapshot("neutron", "agent/c1:up:suspected"))
		time.Sleep(coalesce)
		synctest.Wait()
		posts := f.batches()
		require.Len(t, posts, 1)
		require.Equal(t, "HostDown c1", about(posts[0])[0])
		require.Contains(t, about(posts[0]), "MemberDown nova/compute/c1")
	})
}

// The state file has alerts about hosts, which have no source.
func TestHostInTheStateFile(t *testing.T) {
	folder := t.TempDir()
	write := func(text string) {
		require.NoError(t, os.WriteFile(filepath.Join(folder, stateFileName), []byte(text), 0o666))
	}
	write(`{"version":1,"firing":[{"alert":"ServiceGroupHostDown","zone":"az1","host":"c1","start":"2000-01-01T00:00:00Z","confirmed":true,` +
		`"services":[{"source":"nova","group":"compute","binary":"nova-compute","members":1}]}]}`)
	r := newTestBridge(t, folder)
	e := r.state.entries[alerts.ID{Alert: alerts.HostDown, Host: "c1", Zone: "az1"}]
	require.NotNil(t, e)
	require.Equal(t, []alerts.Service{{Source: "nova", Group: "compute", Binary: "nova-compute", Members: 1}}, e.facts.Services)
	write(`{"version":1,"firing":[{"alert":"ServiceGroupHostDown","source":"nova","start":"2000-01-01T00:00:00Z"}]}`)
	r = newTestBridge(t, folder)
	require.Empty(t, r.state.entries, "an alert about no host")
}

// A zone is down if all its members in service are down or suspected, on two hosts, and no source has a member that is up in a zone of that
// name.
func TestEvaluateZones(t *testing.T) {
	inZone := func(s collector.Snapshot, zone string) collector.Snapshot {
		for i := range s.Members {
			s.Members[i].Zone = zone
		}
		return s
	}
	nova := inZone(snapshot("nova", "c1:down c2:up:suspected c3:up:maintenance"), "az1")
	for name, test := range map[string]struct {
		other collector.Snapshot
		want  []string
	}{
		"another zone is up":            {inZone(snapshot("cinder", "c4:up c5:up"), "az2"), []string{"nova/az1"}},
		"one is up in the other source": {inZone(snapshot("cinder", "c4:up c5:down"), "az1"), nil},
		"the other source is down, too": {inZone(snapshot("cinder", "c4:down c5:down"), "az1"), []string{"cinder/az1", "nova/az1"}},
		"one host":                      {inZone(snapshot("cinder", "c4@a:down c4@b:down"), "az2"), []string{"nova/az1"}},
		"none is in service":            {inZone(snapshot("cinder", "c4:down:maintenance c5:up:maintenance"), "az1"), []string{"nova/az1"}},
		"no zone":                       {snapshot("cinder", "c4:down c5:down"), []string{"nova/az1"}},
	} {
		t.Run(name, func(t *testing.T) {
			holds := evaluate([]collector.Snapshot{nova, test.other}, newBuilder(nil))
			var got []string
			for id := range holds {
				if id.Alert == alerts.ZoneDown {
					got = append(got, id.Source+"/"+id.Zone)
				}
			}
			slices.Sort(got)
			require.Equal(t, test.want, got)
		})
	}
	id := alerts.ID{Alert: alerts.ZoneDown, Source: "nova", Zone: "az1"}
	want := condition{retained: true, facts: alerts.Facts{InService: 2, Down: 2, Hosts: 2}}
	require.Equal(t, want, evaluate([]collector.Snapshot{lost(nova)}, newBuilder(nil))[id])
	built := newBuilder(nil).Build(id, want.facts)
	require.Equal(t, map[string]string{
		"alertname": "ServiceGroupZoneDown", "source": "nova", "zone": "az1", "severity": "critical", "scope": "zone",
	}, built.Labels)
	require.Equal(t, "All members of zone az1 of source nova that are in service are down or suspected: 2 on 2 hosts. Suspect the power or the "+
		"network of the zone before its hosts.", built.Annotations["description"])
	require.Equal(t, id, id.WithoutAttributes(), "another sender resolves the zone that it names")
}
