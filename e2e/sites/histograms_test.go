package sites

import (
	"fmt"
	"testing"

	"servicegroup_exporter/internal/testserver"
)

// Native histograms, which have no series of buckets, fire the same alert about slow detection.
func testNativeHistograms(t *testing.T) {
	t.Parallel()
	for _, setting := range []string{
		"scrape_native_histograms: true", "scrape_native_histograms: true, always_scrape_classic_histograms: true", "scrape_native_histograms: false",
	} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, "nova", "")
			rules := c.rules("+ 90", "- 3600") // Any detection is slow, so that the test need not wait for one.
			p := &prometheus{t, testserver.PrometheusAt(t, testserver.Built(t, "prometheus"), everySecond("", fmt.Sprintf(
				"rule_files: [%q]\nscrape_configs:\n  - {job_name: servicegroup_exporter, honor_labels: true, static_configs: [%s], %s}\n",
				rules, target(c, "a"), setting)))}
			p.ready(1)
			c.die("c1")
			p.waitForAlerts("a DetectionSlow", "a MemberDown compute c1")
		})
	}
}
