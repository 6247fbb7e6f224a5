package alerts_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/config"
	"servicegroup_exporter/internal/testserver"
)

// example is the shipped configuration, which the tests run in a real Alertmanager.
const example = "alertmanager.yml"

// patience is the time limit for a condition on a busy machine.
const patience = 60 * time.Second

// shipped has the labels that the rules add to the alerts of each name, as templates.
var shipped = addedLabels(nil)

// addedLabels returns the labels that the rules add to the alerts of each name, as templates, with some severities.
func addedLabels(severities map[string]string) map[string]map[string]string {
	alerting := config.DefaultAlerting()
	alerting.Severities = severities
	alerting.Groups = []config.AlertGroup{{Group: "compute", MinMembers: 1}} // By default, no rule has a minimum.
	result := map[string]map[string]string{}
	for _, rule := range alerts.Rules(&alerting) {
		if rule.Alert != "" {
			result[rule.Alert] = rule.Labels
		}
	}
	return result
}

// labels parses "NAME label=value label=value", and adds the labels of the rules.
func labels(text string) map[string]string {
	name, pairs, _ := strings.Cut(text, " ")
	given := map[string]string{"alertname": name}
	for pair := range strings.FieldsSeq(pairs) {
		label, value, _ := strings.Cut(pair, "=")
		given[label] = value
	}
	added, ok := shipped[name]
	if base := alerts.BaseName(name); !ok && base != name {
		added = addedLabels(map[string]string{base: strings.ToLower(strings.TrimPrefix(name, base))})[name]
	}
	result := maps.Clone(added)
	if result == nil {
		result = map[string]string{} // Of another program.
	}
	if strings.HasPrefix(name, "ServiceGroupMemberDown") || strings.HasPrefix(name, "ServiceGroupMemberSuspected") {
		result["host"] = given["member"]
	}
	maps.Copy(result, given)
	return result
}

// alert returns an alert that fires during the whole test.
func alert(text string) testserver.Alert {
	return testserver.Alert{Labels: labels(text), EndsAt: time.Now().Add(time.Hour)}
}

// ended returns an alert that is resolved.
func ended(text string) testserver.Alert {
	return testserver.Alert{Labels: labels(text), EndsAt: time.Now()}
}

func TestExampleIsValid(t *testing.T) {
	out, err := exec.Command(testserver.Amtool(t), "check-config", example).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "SUCCESS")
	require.Contains(t, string(out), "4 receivers")
}

// The bridge must post twice before a notification is sent.
func TestExampleWaitsForTheBridge(t *testing.T) {
	text, err := os.ReadFile(example)
	require.NoError(t, err)
	var file struct {
		Route struct {
			Routes []struct {
				Matchers      []string
				GroupInterval model.Duration `yaml:"group_interval"`
			}
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &file))
	for i, scope := range map[int]string{1: "host", 2: "member"} {
		route := file.Route.Routes[i]
		require.Contains(t, route.Matchers[1], scope)
		require.Greater(t, time.Duration(route.GroupInterval), 2*time.Duration(config.DefaultAlerting().ResendInterval))
	}
}

func TestExampleRoutes(t *testing.T) {
	receivers := map[string]string{
		"critical": "pager", "warning": "ticket", "info": "chat", "none": "deadmansswitch",
	}
	expected := map[string]string{
		"ServiceGroupMemberDownWarning":       "ticket",
		"ServiceGroupMemberSuspectedCritical": "pager",
		"ServiceGroupMemberSuspectedWarning":  "ticket",
		"ServiceGroupMemberSuspectedNone":     "ticket",
		"ServiceGroupHostDownWarning":         "ticket",
		"ServiceGroupZoneDownWarning":         "ticket",
		"DiskFull severity=critical":          "pager",
		"DiskFull severity=info":              "chat",
		"DiskFull severity=P3":                "ticket",
		"DiskFull":                            "ticket",
	}
	require.Len(t, shipped, len(alerts.Names()))
	for name, added := range shipped {
		expected[name] = receivers[added["severity"]]
	}
	amtool := testserver.Amtool(t)
	for text, receiver := range expected {
		args := []string{"config", "routes", "test", "--config.file=" + example}
		for label, value := range labels(text) {
			args = append(args, label+"="+value)
		}
		out, err := exec.Command(amtool, args...).Output()
		require.NoError(t, err, text)
		require.Equal(t, receiver, strings.TrimSpace(string(out)), text)
	}
}

// start starts Alertmanager with the shipped example. The receivers are replaced by one webhook with a path for each, and the
// times are shortened.
func start(t *testing.T) (*testserver.AM, *testserver.Notifications) {
	t.Helper()
	hook := testserver.Webhook(t)
	text, err := os.ReadFile(example)
	require.NoError(t, err)
	config := string(text)
	for _, change := range [][2]string{
		{"https://pager.example.com/alertmanager", hook.URL() + "/pager"},
		{"https://tickets.example.com/alertmanager", hook.URL() + "/ticket"},
		{"https://chat.example.com/alertmanager", hook.URL() + "/chat"},
		{"https://deadmansswitch.example.com/alertmanager", hook.URL() + "/deadmansswitch"},
		{"group_wait: 30s", "group_wait: 1s"}, // longer than the other: see settle
		{"group_wait: 5s", "group_wait: 500ms"},
		{"group_interval: 30s", "group_interval: 500ms"},
		{"repeat_interval: 45s", "repeat_interval: 750ms"},
	} {
		require.Contains(t, config, change[0])
		config = strings.ReplaceAll(config, change[0], change[1])
	}
	require.NotContains(t, config, "example.com", "a receiver that the test must not call")
	return testserver.Alertmanager(t, config), hook
}

// activeAlerts returns the alerts in Alertmanager, by their labels.
func activeAlerts(a *testserver.AM) map[string]testserver.StoredAlert {
	result := map[string]testserver.StoredAlert{}
	for _, h := range a.Alerts() {
		result[fmt.Sprint(h.Labels)] = h
	}
	return result
}

// postAll posts alerts, waits until the inhibitor has seen them, and returns them as Alertmanager has them then. The inhibitor
// sees alerts in order. So postAll adds an outage and its member at the end, and waits until that member is inhibited.
func postAll(t *testing.T, a *testserver.AM, batch []testserver.Alert) map[string]testserver.StoredAlert {
	t.Helper()
	last := alert("ServiceGroupMemberDown cluster=last source=nova group=compute member=c1")
	a.Post(append(batch, last, alert("ServiceGroupOutage cluster=last source=nova group=compute"))...)
	testserver.Eventually(t, func() bool {
		return len(activeAlerts(a)[fmt.Sprint(last.Labels)].Status.InhibitedBy) == 1
	}, patience, 10*time.Millisecond, "the last member is inhibited")
	return activeAlerts(a) // The last answer may have been made before the inhibitor saw the other alerts.
}

func TestExampleInhibits(t *testing.T) {
	const member = "ServiceGroupMemberDown source=nova group=compute member=c1"
	const suspected = "ServiceGroupMemberSuspected source=nova group=compute member=c1"
	const suspectedCritical = "ServiceGroupMemberSuspectedCritical source=nova group=compute member=c1"
	const zoneDown = "ServiceGroupZoneDown source=nova zone=az1"
	const hostDown = "ServiceGroupHostDown host=c1"
	const lower = "ServiceGroupMemberDownWarning source=nova group=compute member=c1"
	tests := []struct {
		source, target string
		inhibited      bool
	}{
		// A group over its members.
		{"ServiceGroupOutage source=nova group=compute", member, true},
		{"ServiceGroupOutage source=nova group=compute", lower, true},
		{"ServiceGroupOutageWarning source=nova group=compute", member, false}, // It does not page.
		{"ServiceGroupDegraded source=nova group=compute", member, true},
		{"ServiceGroupBelowMinimum source=nova group=compute", member, true},
		{"ServiceGroupOutage source=nova group=compute cluster=", member + " cluster=", true},
		{"ServiceGroupOutage source=nova group=scheduler", member, false},
		{"ServiceGroupOutage source=cell2 group=compute", member, false},
		{"ServiceGroupOutage source=nova group=compute cluster=another", member, false},
		{"ServiceGroupOutage source=nova group=compute", "ServiceGroupMemberDisabledLong source=nova group=compute member=c1", false},
		{"ServiceGroupDataMissing source=nova group=compute", member, false},
		{member, "ServiceGroupOutage source=nova group=compute", false},
		{"ServiceGroupOutage source=nova group=compute", suspected, true},
		{"ServiceGroupOutage source=nova group=compute", suspectedCritical, true},
		{"ServiceGroupOutageWarning source=nova group=compute", suspectedCritical, false},
		{"ServiceGroupOutage source=nova group=compute", "ServiceGroupDegraded source=nova group=compute", true},
		{"ServiceGroupOutage source=nova group=compute", "ServiceGroupBelowMinimum source=nova group=compute", true},
		{"ServiceGroupDegraded source=nova group=compute", "ServiceGroupOutage source=nova group=compute", false},
		{"ServiceGroupOutage source=nova group=compute", "ServiceGroupDegraded source=nova group=scheduler", false},

		// A death over the suspicion before it.
		{member, suspected, true},
		{member, suspectedCritical, true},
		{lower, suspected, true},
		{lower, suspectedCritical, false}, // It does not page.
		{suspected, member, false},
		{suspectedCritical, member, false},
		{member, "ServiceGroupMemberSuspected source=nova group=compute member=c2", false},
		{member, "ServiceGroupMemberSuspected source=nova group=scheduler member=c1", false},
		{member, "ServiceGroupMemberSuspected source=cell2 group=compute member=c1", false},
		{member, suspected + " cluster=another4", false},
		{"ServiceGroupMemberDown source=zk group=web member=w1 cluster=", "ServiceGroupMemberSuspected source=zk group=web member=w1 cluster=", true},

		// A source over its members and groups.
		{"ServiceGroupMassFailure source=nova", suspected, true},
		{"ServiceGroupHeartbeatsStalled source=nova", suspectedCritical, true},
		{"ServiceGroupMassFailure source=nova", member, true},
		{"ServiceGroupMassFailure source=nova", "ServiceGroupOutage source=nova group=compute", true},
		{"ServiceGroupMassFailure source=cell2", member, false},
		{"ServiceGroupMassFailure source=nova cluster=another2", "ServiceGroupOutage source=nova group=compute", false},
		{"ServiceGroupHeartbeatsStalled source=nova", lower, true},
		{"ServiceGroupHeartbeatsStalled source=nova", "ServiceGroupDegraded source=nova group=compute", true},
		{"ServiceGroupSourceUnreachable source=nova", member, true},
		{"ServiceGroupSourceUnreachable source=nova", "ServiceGroupBelowMinimum source=nova group=compute", true},
		{"ServiceGroupSourceUnreachable source=nova", "ServiceGroupDataMissing source=nova group=compute", true},
		{"ServiceGroupSourceUnreachable source=cell2", "ServiceGroupDataMissing source=nova group=compute", false},
		{"ServiceGroupSourceUnreachable source=nova", "OthersAlert source=nova scope=member", false},

		// What is nearest to the cause over the rest.
		{"ServiceGroupHeartbeatsStalled source=nova", "ServiceGroupMassFailure source=nova", true},
		{"ServiceGroupMassFailure source=nova", "ServiceGroupHeartbeatsStalled source=nova", false},
		{"ServiceGroupSourceUnreachable source=nova", "ServiceGroupViewStale source=nova", true},
		{"ServiceGroupSourceUnreachable source=nova", "ServiceGroupMembersUnknown source=nova", true},
		{"ServiceGroupSourceUnreachable source=nova", "ServiceGroupMembersUnknown source=cell2", false},
		{"ServiceGroupSourceUnreachable source=nova", "ServiceGroupSourceProblem source=nova problem=absent", true},
		{"ServiceGroupSourceUnreachable source=nova", "ServiceGroupSourceProblem source=cell2 problem=absent", false},
		{"ServiceGroupSourceUnreachable source=nova", "ServiceGroupSourceProblem source=nova problem=foreign cluster=another", false},
		{"ServiceGroupMassFailure source=nova", "ServiceGroupSourceProblem source=nova problem=unreadable", false},
		{"ServiceGroupSourceProblem source=nova problem=absent", "ServiceGroupSourceUnreachable source=nova", false},
		{"ServiceGroupViewStale source=nova", "ServiceGroupSourceUnreachable source=nova", false},
		{"ServiceGroupViewStale source=nova", "ServiceGroupDataMissing source=nova group=compute", true},
		{"ServiceGroupViewStale source=nova", "ServiceGroupOutage source=nova group=compute", false},
		{"ServiceGroupExporterAllDown job=a", "ServiceGroupDataMissing source=nova group=compute", true},
		{"ServiceGroupExporterAbsent job=a", "ServiceGroupDataMissing source=nova group=compute", true},
		{"ServiceGroupExporterDown job=a", "ServiceGroupDataMissing source=nova group=compute", false},
		{"ServiceGroupExporterAllDown job=a", "ServiceGroupOutage source=nova group=compute", false},

		// A zone over its hosts, and its source's members, with every severity.
		{zoneDown, hostDown + " zone=az1", true},
		{zoneDown, "ServiceGroupHostDownWarning host=c1 zone=az1", true},
		{zoneDown, member + " zone=az1", true},
		{zoneDown, lower + " zone=az1", true},
		{zoneDown, suspectedCritical + " zone=az1", true},
		{"ServiceGroupZoneDownWarning source=nova zone=az1", "ServiceGroupHostDownWarning host=c1 zone=az1", true},
		{"ServiceGroupZoneDownWarning source=nova zone=az1", hostDown + " zone=az1", false}, // It does not page.
		{"ServiceGroupZoneDownWarning source=nova zone=az1", lower + " zone=az1", true},
		{"ServiceGroupZoneDownWarning source=nova zone=az1", member + " zone=az1", false},
		{zoneDown, hostDown + " zone=az2", false},
		{zoneDown, hostDown, false},
		{zoneDown, hostDown + " zone=az1 cluster=another6", false},
		{zoneDown, member + " zone=az2", false},
		{zoneDown, "ServiceGroupMemberDown source=cinder group=volume member=c1 zone=az1", false},
		{"ServiceGroupZoneDown source=nova zone=", hostDown, false}, // The label is absent from both.
		{"ServiceGroupZoneDown source=nova zone=", member, false},
		{"ServiceGroupZoneDownWarning source=nova zone=", lower, false},
		{hostDown + " zone=az1", zoneDown, false},
		{"ServiceGroupMassFailure source=nova", zoneDown, true},
		{"ServiceGroupSourceUnreachable source=nova", zoneDown, true},
		{"ServiceGroupHeartbeatsStalled source=cell2", zoneDown, false},

		// A host over its members, with every severity.
		{hostDown, member, true},
		{hostDown, lower, true},
		{hostDown, suspected, true},
		{hostDown, suspectedCritical, true},
		{hostDown, "ServiceGroupMemberDown source=neutron group=agent member=c1.example.org host=c1", true},
		{hostDown + " zone=az1", member + " zone=az2", true},
		{"ServiceGroupHostDown host=w2 cluster=", "ServiceGroupMemberDown source=zk group=web member=w2 cluster=", true},
		{"ServiceGroupHostDownWarning host=c1", lower, true},
		{"ServiceGroupHostDownWarning host=c1", suspected, true},
		{"ServiceGroupHostDownWarning host=c1", member, false}, // It does not page.
		{"ServiceGroupHostDownWarning host=c1", suspectedCritical, false},
		{"ServiceGroupHostDown host=c2", member, false},
		{hostDown, member + " cluster=another5", false},
		{hostDown, member + " host=", false},
		{"ServiceGroupHostDown host=", member, false},
		{"ServiceGroupHostDown host=", member + " host=", false}, // The label is absent from both.
		{"ServiceGroupHostDownWarning host=", lower + " host=", false},
		{hostDown, "ServiceGroupMemberFlapping source=nova group=compute member=c1 host=c1", false},
		{hostDown, "ServiceGroupOutage source=nova group=compute host=c1", false},
		{member, hostDown, false},
		{"ServiceGroupMassFailure source=nova", hostDown, false},

		// An alert of another program about the host.
		{"HostDown host=c1 severity=critical", hostDown, true},
		{"HostDown host=c1 severity=warning", hostDown, false},
		{"HostDown host=c2 severity=critical", hostDown, false},
		{"HostDown severity=critical", "ServiceGroupHostDown host=", false},
		{hostDown, "HostDown host=c1 severity=critical", false},
		{"HostDown host=c1 severity=warning", lower, true},
		{"NodeDown host=c1", lower, true},
		{"HostDown host=c2 severity=critical", member, false},
		{"HostDown host=c1 severity=critical cluster=another3", member, false},
		{"HostDown severity=warning", lower, false},
		{"HostDown severity=critical", member + " host=", false},
		{"HostDown severity=warning", lower + " host=", false},
		{"HostDown host=c1 severity=warning", suspected, true},
		{"HostDown host=c1 severity=warning", suspectedCritical, false},
		{"HostDown host=c1 severity=critical", suspectedCritical, true},
		{"HostDown host=c1 severity=warning", member, false},
		{"HostDown host=c1 severity=critical", member, true},
		{"HostDown host=c1 severity=critical", "ServiceGroupOutage source=nova group=compute host=c1", false},

		// No alert over another of its name, or of its name with another severity.
		{member, "ServiceGroupMemberDownWarning source=nova group=compute member=c2", false},
		{member, "ServiceGroupMemberDown source=nova group=compute member=c2", false},
		{member, "ServiceGroupMemberFlapping source=nova group=compute member=c1", false},
		{"OthersAlert severity=critical disk=sda", "OthersAlert severity=warning disk=sdb", false},
	}
	a, _ := start(t)
	var batch []testserver.Alert
	for i := range tests {
		// Clusters keep the cases apart.
		for _, text := range []*string{&tests[i].source, &tests[i].target} {
			if !strings.Contains(*text, " cluster=") {
				*text += fmt.Sprintf(" cluster=%d", i)
			}
			batch = append(batch, alert(*text))
		}
	}
	all := postAll(t, a, batch)
	for _, test := range tests {
		source, target := all[key(test.source)], all[key(test.target)]
		require.NotEmpty(t, source.Fingerprint, test.source)
		require.NotEmpty(t, target.Fingerprint, test.target)
		if test.inhibited {
			require.Equal(t, []string{source.Fingerprint}, target.Status.InhibitedBy, "%s by %s", test.target, test.source)
		} else {
			require.Empty(t, target.Status.InhibitedBy, "%s by %s", test.target, test.source)
		}
	}
}

// key identifies an alert by its labels, without the empty ones, which Alertmanager drops.
func key(text string) string {
	result := labels(text)
	for label, value := range result {
		if value == "" {
			delete(result, label)
		}
	}
	return fmt.Sprint(result)
}
