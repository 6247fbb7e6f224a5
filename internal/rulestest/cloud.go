package rulestest

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// The label that distinguishes clouds, and its values.
const (
	clusterLabel = "cluster"
	ownCloud     = "a"
	secondCloud  = "b"
)

// addSecondCloud adds the label of its cloud to all series of a case, and the same series of a second cloud, which is healthy. The
// alerts must stay the same, with the label of the first cloud.
func (c *testCase) addSecondCloud(evaluationInterval string) error {
	second, err := c.healthySeries(evaluationInterval)
	if err != nil {
		return err
	}
	for i := range c.InputSeries {
		c.InputSeries[i].Series = withLabel(c.InputSeries[i].Series, ownCloud)
	}
	c.InputSeries = append(c.InputSeries, second...)
	for i := range c.AlertRuleTest {
		test := &c.AlertRuleTest[i]
		if test.Alertname == "ServiceGroupWatchdog" {
			continue // It is about no cloud.
		}
		for j := range test.ExpAlerts {
			test.ExpAlerts[j].Labels[clusterLabel] = ownCloud
		}
	}
	for i := range c.ExprTest {
		expr, err := withMatcher(c.ExprTest[i].Expr, fmt.Sprintf("%s=%q", clusterLabel, ownCloud))
		if err != nil {
			return err
		}
		// The expected samples don't have the label.
		c.ExprTest[i].Expr = fmt.Sprintf(`label_replace(%s, "%s", "", "", "")`, expr, clusterLabel)
	}
	return nil
}

// withLabel returns a series with the label of a cloud.
func withLabel(series, cloud string) string {
	name, labels, found := strings.Cut(series, "{")
	if !found {
		labels = "}"
	}
	return fmt.Sprintf("%s{%s=%q,%s", strings.TrimSpace(name), clusterLabel, cloud, labels)
}

// healthySeries returns the series of a second cloud, all of whose members are up, in service and known, and whose exporters
// can be scraped until the end of the case.
func (c *testCase) healthySeries(evaluationInterval string) ([]series, error) {
	step, err := model.ParseDuration(cmp.Or(c.Interval, evaluationInterval))
	if err != nil {
		return nil, err
	}
	last, err := c.lastSample(step)
	if err != nil {
		return nil, err
	}
	var healthy []series
	for _, s := range c.InputSeries {
		v, err := parseValues(s.Values)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Series, err)
		}
		start, increase, err := healthyValue(s.Series, v.highest, int(step/model.Duration(time.Second)))
		if err != nil {
			return nil, err
		}
		if start != absent {
			name := withLabel(healthyLabels(s.Series), secondCloud)
			healthy = append(healthy, series{name, fmt.Sprintf("%g+%dx%d", start, increase, last)})
		}
	}
	return healthy, nil
}

// lastSample returns how many intervals there are from the first sample to the end of the case.
func (c *testCase) lastSample(step model.Duration) (int, error) {
	last := 0
	for _, s := range c.InputSeries {
		v, err := parseValues(s.Values)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", s.Series, err)
		}
		last = max(last, v.count-1)
	}
	var times []string
	for _, test := range c.AlertRuleTest {
		times = append(times, test.EvalTime)
	}
	for _, test := range c.ExprTest {
		times = append(times, test.EvalTime)
	}
	for _, text := range times {
		t, err := model.ParseDuration(text)
		if err != nil {
			return 0, err
		}
		last = max(last, int(t/step)+1)
	}
	return last, nil
}

// healthyLabels returns a series with the labels that it has in a healthy cloud: its scrape job has the name that the rules
// expect, and no label is overwritten.
func healthyLabels(series string) string {
	series = strings.Replace(series, `job="openstack-exporters"`, `job="servicegroup_exporter"`, 1)
	if !strings.HasPrefix(series, "servicegroup_label_check{") {
		return series
	}
	overwritten := regexp.MustCompile(`[{,](exported_)?(binary|group|host|member|source|zone)="[^"]*"`).ReplaceAllString(series, "")
	_, rest, _ := strings.Cut(overwritten, ",")
	return `servicegroup_label_check{binary="binary",group="group",host="host",member="member",source="source",zone="zone",` + rest
}

// absent is returned for a series that a healthy cloud does not have.
const absent = -1

// healthyValue returns the first value of a series in a healthy cloud, and its increase from one sample to the next. It gets the
// highest value of the series in the case, and the seconds between samples.
func healthyValue(series string, highest float64, step int) (start float64, increase int, err error) {
	name, labels, _ := strings.Cut(series, "{")
	switch name {
	case "up", "service_up", "servicegroup_host_up", "servicegroup_source_up", "servicegroup_group_known", "servicegroup_label_check",
		"servicegroup_member_enabled", "servicegroup_member_info", "servicegroup_source_info",
		"servicegroup_config_last_reload_successful", "servicegroup_notifications_alertmanager_up":
		return 1, 0, nil
	case "servicegroup_zone_members_down", "servicegroup_members_down", "servicegroup_member_forced_down", "servicegroup_member_fenced",
		"servicegroup_source_heartbeats_stalled", "servicegroup_source_problems", "servicegroup_source_unknown_members",
		"servicegroup_source_clock_offset_seconds", "servicegroup_notifications_label_mismatches":
		return 0, 0, nil
	case "servicegroup_host_down_since_timestamp_seconds", "servicegroup_host_silent_member_timestamp_seconds", "servicegroup_member_down_cause",
		"servicegroup_member_down", "servicegroup_member_suspected", "servicegroup_member_suspected_since_timestamp_seconds",
		"servicegroup_detection_latency_seconds", "servicegroup_member_flapping", "servicegroup_member_heartbeat_ahead_seconds",
		"servicegroup_member_disabled_timestamp_seconds", "servicegroup_member_down_since_timestamp_seconds":
		return absent, 0, nil
	case "servicegroup_members_in_service", "servicegroup_zone_members_in_service", "servicegroup_zone_hosts":
		return max(highest, manyMembers), 0, nil
	case "servicegroup_members":
		if strings.Contains(labels, `state="up"`) {
			return max(highest, manyMembers), 0, nil
		}
		return 0, 0, nil
	case "servicegroup_source_heartbeat_timeout_seconds", "servicegroup_source_report_interval_seconds":
		return highest, 0, nil
	}
	switch {
	case strings.HasSuffix(name, "_timestamp_seconds"):
		return 0, step, nil // The clock of evaluators begins at zero.
	case strings.HasSuffix(name, "_total"), strings.HasSuffix(name, "_bucket"), strings.HasSuffix(name, "_sum"), strings.HasSuffix(name, "_count"):
		return 0, 0, nil
	}
	return 0, 0, fmt.Errorf("%s: unknown which value it has in a healthy cloud", name)
}

// manyMembers is the least size of a healthy group, so that it has more members than any minimum.
const manyMembers = 10
