package sites

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/config"
	"servicegroup_exporter/internal/testserver"
)

// inhibitions are the inhibit_rules that sites have from others.
var inhibitions = map[string]string{
	"kube-prometheus": `
  - {source_matchers: ['severity = critical'], target_matchers: ['severity =~ warning|info'], equal: [namespace, alertname]}
  - {source_matchers: ['severity = warning'], target_matchers: ['severity = info'], equal: [namespace, alertname]}
  - {source_matchers: ['alertname = InfoInhibitor'], target_matchers: ['severity = info'], equal: [namespace]}
`,
	// From Debian's alertmanager.yml, and of doc/examples/simple.yml and examples/ha of Alertmanager.
	"Alertmanager": `
  - {source_matchers: [severity="critical"], target_matchers: [severity="warning"], equal: [alertname, cluster, service]}
`,
}

// alertmanagers returns the programs to test with.
func alertmanagers(t *testing.T) map[string]string {
	t.Helper()
	debian, err := exec.LookPath("prometheus-alertmanager")
	require.NoError(t, err, "run `make deps`")
	programs := map[string]string{"Debian's": debian}
	if *all {
		programs["a newer one"] = testserver.Built(t, "alertmanager")
	}
	return programs
}

// With the inhibit_rules that sites have from others, no alert about a member or group silences an alert about another.
func TestInhibitionsOfOthers(t *testing.T) {
	t.Parallel()
	for source, rules := range inhibitions {
		for name, program := range alertmanagers(t) {
			t.Run(source+", "+name, func(t *testing.T) {
				am := testserver.AlertmanagerAt(t, program, "route: {receiver: none}\nreceivers: [{name: none}]\ninhibit_rules:"+rules)
				batch := alertsOfAllSeverities(t)
				// Alertmanager's inhibitor sees alerts in their order, so that it has seen all when it has inhibited the last one.
				batch = append(batch, post("InfoInhibitor", "namespace=monitoring severity=none"), post("Other", "severity=critical"), post("Other", "severity=warning"))
				am.Post(batch...)
				testserver.Eventually(t, func() bool {
					for _, a := range am.Alerts() {
						if a.Labels["alertname"] == "Other" && len(a.Status.InhibitedBy) > 0 {
							return true
						}
					}
					return false
				}, patience, pause, "the rule inhibits another program's alert")
				got := am.Alerts()
				require.Len(t, got, len(batch))
				for _, a := range got {
					if strings.HasPrefix(a.Labels["alertname"], "ServiceGroup") {
						require.Empty(t, a.Status.InhibitedBy, "%v", a.Labels)
					}
				}
			})
		}
	}
}

// post returns an alert of another program.
func post(name, pairs string) testserver.Alert {
	labels := map[string]string{"alertname": name}
	for pair := range strings.FieldsSeq(pairs) {
		label, value, _ := strings.Cut(pair, "=")
		labels[label] = value
	}
	return testserver.Alert{Labels: labels, EndsAt: time.Now().Add(time.Hour)}
}

// alertsOfAllSeverities returns an alert about a member of a group with each severity, and about each of these groups.
func alertsOfAllSeverities(t *testing.T) (batch []testserver.Alert) {
	t.Helper()
	for _, groupSeverity := range []string{"critical", "warning"} {
		cfg := config.DefaultAlerting()
		cfg.Severities = map[string]string{alerts.Outage: groupSeverity, alerts.Degraded: groupSeverity}
		for _, severity := range config.Severities() {
			cfg.Groups = append(cfg.Groups, config.AlertGroup{Group: severity, Severity: severity})
		}
		require.NoError(t, cfg.Validate())
		builder := alerts.NewBuilder(&cfg)
		for _, severity := range config.Severities() {
			for _, name := range []string{alerts.MemberDown, alerts.Outage, alerts.Degraded} {
				id := alerts.ID{Alert: name, Source: "nova-" + groupSeverity, Group: severity}
				if name == alerts.MemberDown {
					id.Member = fmt.Sprintf("host-%s-%s", groupSeverity, severity)
				}
				batch = append(batch, testserver.Alert{Labels: builder.Build(id, alerts.Facts{}).Labels, EndsAt: time.Now().Add(time.Hour)})
			}
		}
	}
	return batch
}

// With the shipped configuration, neither an alert about a host without a label "host" nor a missing label "cluster" silences members that
// have nothing to do with it.
func TestShippedInhibitionsWithoutLabels(t *testing.T) {
	t.Parallel()
	shipped, err := os.ReadFile(filepath.Join(testserver.ModuleDir(t), "alerts", "alertmanager.yml"))
	require.NoError(t, err)
	hook := testserver.Webhook(t)
	text := regexp.MustCompile(`https://[a-z]+\.example\.com`).ReplaceAllString(string(shipped), hook.URL())
	const common = "severity=critical scope=member source=nova group=compute"
	for name, program := range alertmanagers(t) {
		t.Run(name, func(t *testing.T) {
			am := testserver.AlertmanagerAt(t, program, text)
			am.Post(
				post("HostDown", "severity=critical"), post("HostDown", "severity=critical cluster=a"), post("NodeDown", "severity=critical instance=x"),
				post("ServiceGroupOutage", "severity=critical scope=group source=nova group=volume"),
				post("ServiceGroupOutage", "severity=critical scope=group source=nova group=compute cluster=b"),
				post("ServiceGroupMemberDown", common+" member=c1"), post("ServiceGroupMemberDown", common+" member=c1 cluster=a"),
				post("ServiceGroupMemberDown", common+" member=c1 cluster=a host=c1"),
				post("ServiceGroupMemberDown", common+" member=inhibited cluster=b"),
			)
			// The inhibitor sees alerts in order, so that it has seen all before the last one.
			var got []testserver.StoredAlert
			testserver.Eventually(t, func() bool {
				got = am.Alerts()
				return slices.ContainsFunc(got, func(a testserver.StoredAlert) bool {
					return a.Labels["member"] == "inhibited" && len(a.Status.InhibitedBy) == 1
				})
			}, patience, pause, "the outage of cloud b inhibits its member")
			got = am.Alerts()
			for _, a := range got {
				if a.Labels["member"] == "c1" {
					require.Empty(t, a.Status.InhibitedBy, "%v", a.Labels)
				}
			}
		})
	}
}
