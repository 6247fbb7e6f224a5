package rulestest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseValues(t *testing.T) {
	for text, want := range map[string]values{
		"1x60":                  {61, 1},
		"0 0 1x30":              {33, 1},
		"1x5 stale _x3 1x20":    {31, 1},
		"0+60x5 300x5 720+60x8": {21, 1200},
		"10-2x3 _":              {5, 10},
		"{{schema:0 sum:5}}x4 {{}}+{{schema:0}}x2": {8, 0},
		"stale _": {2, 0},
	} {
		got, err := parseValues(text)
		require.NoError(t, err)
		require.Equal(t, want, got, text)
	}
	_, err := parseValues("1 2y3")
	require.ErrorContains(t, err, "2y3")
}

func TestWithMatcher(t *testing.T) {
	for expr, want := range map[string]string{
		"servicegroup:members_down":                 `servicegroup:members_down{cluster="a"}`,
		`ALERTS{alertname!="up"}`:                   `ALERTS{cluster="a",alertname!="up"}`,
		`sum by (source) (up == 1) or {x="\"{up}"}`: `sum by (source) (up{cluster="a"} == 1) or {cluster="a",x="\"{up}"}`,
	} {
		got, err := withMatcher(expr, `cluster="a"`)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err := withMatcher("vector(1)", `cluster="a"`)
	require.Error(t, err)
}

func TestHealthySeries(t *testing.T) {
	c := testCase{
		Interval: "15s",
		InputSeries: []series{
			{`up{job="servicegroup_exporter"}`, "1x4 0x4"},
			{`servicegroup_label_check{binary="binary",group="x",exported_group="group",job="openstack-exporters",instance="e1"}`, "1x4 0x4"},
			{`servicegroup_member_down{member="c1"}`, "1x8"},
			{`servicegroup_members_in_service{group="compute"}`, "20 18x8"},
			{`servicegroup_members{group="compute",state="up"}`, "4x8"},
			{`servicegroup_members{group="compute",state="unknown"}`, "4 stale"},
			{`servicegroup_group_last_known_timestamp_seconds{group="compute"}`, "0+15x4 60x3"},
		},
		AlertRuleTest: []alertTest{{EvalTime: "5m"}},
	}
	got, err := c.healthySeries("1m")
	require.NoError(t, err)
	require.Equal(t, []series{
		{`up{cluster="b",job="servicegroup_exporter"}`, "1+0x21"},
		{`servicegroup_label_check{cluster="b",binary="binary",group="group",host="host",member="member",source="source",zone="zone",` +
			`job="servicegroup_exporter",instance="e1"}`, "1+0x21"},
		{`servicegroup_members_in_service{cluster="b",group="compute"}`, "20+0x21"},
		{`servicegroup_members{cluster="b",group="compute",state="up"}`, "10+0x21"},
		{`servicegroup_members{cluster="b",group="compute",state="unknown"}`, "0+0x21"},
		{`servicegroup_group_last_known_timestamp_seconds{cluster="b",group="compute"}`, "0+15x21"},
	}, got)
	c.InputSeries = []series{{"servicegroup_new_metric", "1"}}
	_, err = c.healthySeries("1m")
	require.ErrorContains(t, err, "servicegroup_new_metric")
}
