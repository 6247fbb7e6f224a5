package sites

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// With a limit of 200 bytes for values of labels, a long reason is cut, and a member with a longer name is rejected, counted and
// logged. Other members of the source still have their alerts.
func TestLongTexts(t *testing.T) {
	t.Parallel()
	c := newCloud(t, "nova", "")
	p := newPrometheus(t, fmt.Sprintf(`rule_files: [%q]
scrape_configs:
  - {job_name: servicegroup_exporter, honor_labels: true, label_value_length_limit: 200, static_configs: [%s]}
`, c.rules(), target(c, "a")))
	p.ready(1)
	c.run("UPDATE members SET off = 1, reason = ? WHERE host = 'c3'", strings.Repeat("é", 112)+"!")
	c.add("compute", strings.Repeat("n", 250))
	p.waitFor(`max(increase(servicegroup_source_rejected_members_total{source="nova", reason="name"}[1m])) > bool 0`, 1)
	p.waitFor(`count(servicegroup_member_disabled_timestamp_seconds{member="c3"})`, 1)
	c.die("c4")
	p.stays("a MemberDown compute c4", "a MembersRejected")
	require.InDelta(t, 1, p.value(`min_over_time(up[5m])`), 0, "no scrape was rejected")
	require.Contains(t, c.exporter.Log(), "longer than label_value_length_limit")
}

// A limit of the scrape job that the cloud outgrows is reported, and the runbooks name it as a cause.
func TestScrapeLimits(t *testing.T) {
	t.Parallel()
	c := newCloud(t, "nova", "")
	rules := c.rules()
	for _, limit := range []string{"sample_limit: %d", "body_size_limit: %dB"} {
		t.Run(strings.Split(limit, ":")[0], func(t *testing.T) {
			job := func(n int) string {
				return fmt.Sprintf("rule_files: [%q]\nscrape_configs:\n  - {job_name: servicegroup_exporter, honor_labels: true, %s, static_configs: [%s]}\n",
					rules, fmt.Sprintf(limit, n), target(c, "a"))
			}
			p := newPrometheus(t, job(1_000_000))
			p.ready(1)
			p.Reload(everySecond("", job(100)))
			p.waitFor("count(up == 0)", 1)
			p.waitForAlerts("a DataMissing compute", "a DataMissing scheduler", "a ExporterAllDown")
		})
		for _, alert := range []string{"ServiceGroupExporterDown", "ServiceGroupExporterAllDown"} {
			runbook, err := os.ReadFile(filepath.Join(testserver.ModuleDir(t), "alerts", "runbooks", alert+".md"))
			require.NoError(t, err)
			require.Contains(t, string(runbook), strings.Split(limit, ":")[0], alert)
		}
	}
}
