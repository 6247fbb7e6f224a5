package alerts_test

import (
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// notified returns the notifications about a cluster, each as receiver, status, alert, and members or hosts: "ticket firing
// ServiceGroupMemberDown c1 c2".
func notified(all []testserver.Notification, cluster string) []string {
	result := []string{}
	for _, n := range all {
		if n.CommonLabels["cluster"] != cluster {
			continue
		}
		var members []string
		for _, a := range n.Alerts {
			switch {
			case a.Labels["member"] != "":
				members = append(members, a.Labels["member"])
			case a.Labels["scope"] == "host":
				members = append(members, a.Labels["host"])
			}
		}
		slices.Sort(members)
		words := append([]string{path.Base(n.Path), n.Status, n.CommonLabels["alertname"]}, members...)
		result = append(result, strings.Join(words, " "))
	}
	return result
}

// await waits until n notifications about a cluster were received.
func await(hook *testserver.Notifications, cluster string, n int) {
	hook.Wait("notification about "+cluster, func(all []testserver.Notification) bool { return len(notified(all, cluster)) >= n })
}

// settle waits until alerts that were posted before have been notified, if they are notified at all: it posts an alert of
// another program, which has the longest group_wait, and waits for its notification.
func settle(a *testserver.AM, hook *testserver.Notifications, mark string) {
	a.Post(alert("OthersAlert cluster=" + mark))
	await(hook, mark, 1)
}

func TestExampleNotifiesOnlyTheCause(t *testing.T) {
	const down = "ServiceGroupMemberDown source=nova "
	tests := []struct {
		cluster  string
		batch    []string // posted at once
		notified []string
	}{
		{
			cluster:  "members",
			batch:    []string{down + "group=compute member=c1", down + "group=compute member=c2", down + "group=volume member=c1"},
			notified: []string{"pager firing ServiceGroupMemberDown c1 c2", "pager firing ServiceGroupMemberDown c1"},
		},
		{
			cluster: "outage",
			batch: []string{
				down + "group=compute member=c1", down + "group=compute member=c2", down + "group=volume member=v1",
				"ServiceGroupOutage source=nova group=compute", "ServiceGroupDegraded source=nova group=compute",
			},
			notified: []string{"pager firing ServiceGroupOutage", "pager firing ServiceGroupMemberDown v1"},
		},
		{
			cluster: "mass-failure",
			batch: []string{
				down + "group=compute member=c1", "ServiceGroupOutage source=nova group=volume",
				"ServiceGroupMassFailure source=nova", "ServiceGroupMemberDown source=cell2 group=compute member=d1",
			},
			notified: []string{"pager firing ServiceGroupMassFailure", "pager firing ServiceGroupMemberDown d1"},
		},
		{
			cluster: "unreachable",
			batch: []string{
				down + "group=compute member=c1", "ServiceGroupViewStale source=nova",
				"ServiceGroupDataMissing source=nova group=compute", "ServiceGroupSourceUnreachable source=nova",
			},
			notified: []string{"pager firing ServiceGroupSourceUnreachable"},
		},
		{
			cluster: "host",
			batch: []string{
				down + "group=compute member=c1", down + "group=volume member=c1",
				down + "group=compute member=c2", "HostDown host=c1 severity=critical",
			},
			notified: []string{"pager firing ServiceGroupMemberDown c2", "pager firing HostDown"},
		},
	}
	a, hook := start(t)
	for _, test := range tests {
		var batch []testserver.Alert
		for _, text := range test.batch {
			batch = append(batch, alert(text+" cluster="+test.cluster))
		}
		a.Post(batch...)
	}
	for _, test := range tests {
		await(hook, test.cluster, len(test.notified))
	}
	settle(a, hook, "settled")
	for _, test := range tests {
		require.ElementsMatch(t, test.notified, notified(hook.All(), test.cluster), test.cluster)
	}

	// Members that are still down after the outage are notified then.
	a.Post(ended("ServiceGroupOutage source=nova group=compute cluster=outage"),
		ended("ServiceGroupDegraded source=nova group=compute cluster=outage"))
	await(hook, "outage", 4)
	settle(a, hook, "settled-again")
	require.ElementsMatch(t, append(tests[1].notified, "pager resolved ServiceGroupOutage",
		"pager firing ServiceGroupMemberDown c1 c2"), notified(hook.All(), "outage"))
}

// While a source can't be read, an alert about a member may end because a Prometheus that was down for long has lost its state.
// That is notified neither as a recovery nor, afterwards, as a new death.
func TestExampleNotifiesNoRecoveryWhileUnreadable(t *testing.T) {
	const member = "ServiceGroupMemberDown source=nova group=compute member=c1 cluster=a"
	const unreadable = "ServiceGroupSourceUnreachable source=nova cluster=a"
	a, hook := start(t)
	a.Post(alert(member))
	await(hook, "a", 1)
	a.Post(alert(unreadable))
	await(hook, "a", 2)
	a.Post(ended(member))
	settle(a, hook, "forgotten")
	a.Post(alert(member))
	settle(a, hook, "known-again")
	a.Post(ended(unreadable))
	await(hook, "a", 3)
	settle(a, hook, "sight")
	a.Post(ended(member))
	await(hook, "a", 4)
	settle(a, hook, "recovered")
	require.Equal(t, []string{
		"pager firing ServiceGroupMemberDown c1", "pager firing ServiceGroupSourceUnreachable",
		"pager resolved ServiceGroupSourceUnreachable", "pager resolved ServiceGroupMemberDown c1",
	}, notified(hook.All(), "a"))
}

// A member that is suspected and then down pages once. If the suspicion pages already, the death belongs to the same incident of the pager.
func TestExampleNotifiesSuspicions(t *testing.T) {
	const about = " source=nova group=compute member=c1 cluster="
	const down, suspected, pages = "ServiceGroupMemberDown" + about, "ServiceGroupMemberSuspected" + about, "ServiceGroupMemberSuspectedCritical" + about
	a, hook := start(t)
	a.Post(alert(suspected+"confirmed"), alert(suspected+"refuted"), alert(pages+"paged"))
	for _, cluster := range []string{"confirmed", "refuted", "paged"} {
		await(hook, cluster, 1)
	}
	// The bridge and the rules may repeat the suspicion for a time after the death.
	a.Post(alert(down+"confirmed"), ended(suspected+"refuted"), alert(down+"paged"))
	for _, cluster := range []string{"confirmed", "refuted", "paged"} {
		await(hook, cluster, 2)
	}
	settle(a, hook, "down")
	a.Post(ended(suspected+"confirmed"), ended(pages+"paged"))
	settle(a, hook, "only-down")
	a.Post(ended(down+"confirmed"), ended(down+"paged"))
	await(hook, "confirmed", 3)
	await(hook, "paged", 3)
	settle(a, hook, "up")
	require.Equal(t, []string{
		"chat firing ServiceGroupMemberSuspected c1", "pager firing ServiceGroupMemberDown c1", "pager resolved ServiceGroupMemberDown c1",
	}, notified(hook.All(), "confirmed"))
	require.Equal(t, []string{
		"chat firing ServiceGroupMemberSuspected c1", "chat resolved ServiceGroupMemberSuspected c1",
	}, notified(hook.All(), "refuted"))
	require.Equal(t, []string{
		"pager firing ServiceGroupMemberSuspectedCritical c1", "pager firing ServiceGroupMemberDown c1", "pager resolved ServiceGroupMemberDown c1",
	}, notified(hook.All(), "paged"))
	groups := map[string]bool{}
	for _, n := range hook.All() {
		if n.CommonLabels["cluster"] == "paged" {
			groups[n.GroupKey] = true
		}
	}
	require.Len(t, groups, 1, "a pager knows an incident by the key of the group")
}

// A machine that dies is one page, from the suspicion over the deaths of its members to its return. Machines of one zone share a
// notification. A member that does not return with its machine is notified then.
func TestExampleNotifiesHosts(t *testing.T) {
	const host, nova, cinder = "ServiceGroupHostDown host=c1 zone=az1", " source=nova group=compute member=c1", " source=cinder group=volume member=c1@lvm host=c1"
	a, hook := start(t)
	post := func(of func(string) testserver.Alert, texts ...string) {
		var batch []testserver.Alert
		for _, text := range texts {
			batch = append(batch, of(text+" cluster=a"))
		}
		a.Post(batch...)
	}
	post(alert, host, "ServiceGroupMemberSuspected"+nova, "ServiceGroupMemberSuspectedCritical"+cinder)
	await(hook, "a", 1)
	settle(a, hook, "suspected")
	post(alert, host, "ServiceGroupMemberDown"+nova, "ServiceGroupMemberDownWarning"+cinder)
	post(ended, "ServiceGroupMemberSuspected"+nova, "ServiceGroupMemberSuspectedCritical"+cinder)
	settle(a, hook, "confirmed")
	post(alert, "ServiceGroupHostDown host=c2 zone=az1")
	await(hook, "a", 2)
	post(ended, host, "ServiceGroupHostDown host=c2 zone=az1", "ServiceGroupMemberDown"+nova)
	await(hook, "a", 4)
	settle(a, hook, "back")
	require.ElementsMatch(t, []string{
		"pager firing ServiceGroupHostDown c1", "pager firing ServiceGroupHostDown c1 c2", "pager resolved ServiceGroupHostDown c1 c2",
		"ticket firing ServiceGroupMemberDownWarning c1@lvm",
	}, notified(hook.All(), "a"))
}

// The watchdog is repeated while it fires, and its end is not notified.
func TestExampleRepeatsTheWatchdog(t *testing.T) {
	a, hook := start(t)
	a.Post(alert("ServiceGroupWatchdog cluster=a"))
	await(hook, "a", 3)
	a.Post(ended("ServiceGroupWatchdog cluster=a"))
	settle(a, hook, "dead")
	before := notified(hook.All(), "a")
	for _, notification := range before {
		require.Equal(t, "deadmansswitch firing ServiceGroupWatchdog", notification)
	}
	settle(a, hook, "still-dead")
	require.Len(t, notified(hook.All(), "a"), len(before))
}

// When all alerts fire at once, the alerts which say that members are not monitored are not inhibited.
func TestExampleNeverInhibits(t *testing.T) {
	a, _ := start(t)
	batch := []testserver.Alert{alert("HostDown host=c1 severity=critical cluster=all")}
	for name, added := range shipped {
		text := name + " cluster=all"
		switch added["scope"] {
		case "zone":
			text += " source=nova zone=az1"
		case "host":
			text += " host=c1"
		case "member":
			text += " source=nova group=compute member=c1"
		case "group":
			text += " source=nova group=compute"
		case "source":
			text += " source=nova"
		}
		batch = append(batch, alert(text))
	}
	var notified []string
	for _, h := range postAll(t, a, batch) {
		if h.Labels["cluster"] == "all" && len(h.Status.InhibitedBy) == 0 {
			notified = append(notified, h.Labels["alertname"])
		}
	}
	require.ElementsMatch(t, []string{
		"HostDown", "ServiceGroupSourceUnreachable", "ServiceGroupMembersRejected",
		"ServiceGroupStateNotSaved", "ServiceGroupStateNotLoaded", "ServiceGroupSourceClockSkew", "ServiceGroupDetectionSlow", "ServiceGroupCanaryFailing",
		"ServiceGroupExporterDown", "ServiceGroupExporterAllDown", "ServiceGroupExporterAbsent",
		"ServiceGroupConfigReloadFailed", "ServiceGroupEventsDropped", "ServiceGroupBridgePushFailing", "ServiceGroupBridgeAllFailing",
		"ServiceGroupBridgeLabelMismatch", "ServiceGroupJobMismatch", "ServiceGroupLabelsOverwritten", "ServiceGroupWatchdog",
	}, notified)
}
