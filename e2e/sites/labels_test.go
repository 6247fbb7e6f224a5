package sites

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// overwritten are the labels of a member, which a target may have too.
var overwritten = []string{"binary", "group", "host", "member", "source", "zone"}

// Where a target has a label of the exporter's, the alerts are right with honor_labels: true. With honor_labels: false,
// ServiceGroupLabelsOverwritten fires at the first evaluation, and names the label and the remedy.
func TestOverwrittenLabels(t *testing.T) {
	t.Parallel() // It waits for most of its time.
	c := newCloud(t, "nova", "")
	var jobs strings.Builder
	for _, honor := range []bool{true, false} {
		fmt.Fprintf(&jobs, "  - job_name: honor_%t\n    honor_labels: %[1]t\n"+
			"    relabel_configs: [{target_label: job, replacement: servicegroup_exporter}]\n    static_configs:\n", honor)
		for _, label := range overwritten {
			fmt.Fprintf(&jobs, "      - {targets: [%q], labels: {cluster: %s_%t, %[2]s: other}}\n", c.web, label, honor)
		}
	}
	p := newPrometheus(t, fmt.Sprintf("rule_files: [%q]\nscrape_configs:\n%s", c.rules(), jobs.String()))
	p.waitFor("count(servicegroup_label_check)", float64(2*len(overwritten)))
	p.evaluate()
	var warned []string
	for _, a := range p.Alerts() {
		if a.Labels["alertname"] == "ServiceGroupLabelsOverwritten" {
			require.Equal(t, "firing", a.State)
			require.Contains(t, a.Annotations["description"], "honor_labels")
			require.Contains(t, a.Annotations["description"], a.Labels["label"])
			warned = append(warned, a.Labels["cluster"])
		}
	}
	var wrong []string
	for _, label := range overwritten {
		wrong = append(wrong, label+"_false")
	}
	require.ElementsMatch(t, wrong, warned)

	c.die("c1", "s1", "s2")
	var want []string
	for _, label := range overwritten {
		for _, alert := range []string{"Degraded scheduler", "MemberDown compute c1", "MemberDown scheduler s1", "MemberDown scheduler s2", "Outage scheduler"} {
			want = append(want, label+"_true "+alert)
		}
	}
	p.eventually("the alerts of the jobs with honor_labels: true", want, func() []string {
		return slices.DeleteFunc(p.alerts(), func(alert string) bool { return !strings.Contains(alert, "_true ") })
	})
}
