package config

import (
	"math"
	"net/url"
	"strings"
	"testing"
	"time"

	promconfig "github.com/prometheus/common/config"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

func TestDefaultAlertingIsValid(t *testing.T) {
	c := DefaultAlerting()
	require.NoError(t, c.Validate())
}

func TestValidateAlerting(t *testing.T) {
	const (
		badURL     = " is not a URL like https://alerts.example.com/path, without a user and a query"
		badWord    = " is not one of critical, warning, info, none"
		badGroup   = " is not the name of a group"
		badCluster = " is not a label name that alerts don't have already"
		badHost    = " is not a label name that alerts don't have already, or empty"
	)
	for _, test := range []struct {
		name string
		set  func(*Alerting)
		want []string
	}{
		{"no rules lag", func(c *Alerting) { c.ScrapeInterval, c.EvaluationInterval = 0, 0 }, []string{
			"scrape_interval: is 0s, must be positive", "evaluation_interval: is 0s, must be positive",
		}},
		{"flood", func(c *Alerting) { c.ResendInterval = drivers.Duration(999 * time.Millisecond) }, []string{
			"resend_interval: is 999ms, must be at least 1s",
		}},
		{"rules still fire", func(c *Alerting) { c.ResolveAfter = DurationOrNever(4*time.Minute - 1) }, []string{
			"resolve_after: is 3m59.999999999s, must be never, or at least 4m0s (twice the sum of scrape_interval and evaluation_interval), so that the rules " +
				"have stopped firing; or 0s, if no Prometheus loads the rules",
		}},
		{"no rule fires any more", func(c *Alerting) { c.ResolveAfter = DurationOrNever(4 * time.Minute) }, nil},
		{"no rules", func(c *Alerting) { c.ResolveAfter = 0 }, nil},
		{"links", func(c *Alerting) { c.ExternalURL, c.GrafanaURL = "", "ftp://grafana" }, []string{
			`external_url: ""` + badURL, `grafana_url: "ftp://grafana"` + badURL,
		}},
		{"links with more than a path", func(c *Alerting) { c.ExternalURL, c.GrafanaURL = "http://a/?b", "http://u:p@a" }, []string{
			"external_url: the value" + badURL, "grafana_url: the value" + badURL,
		}},
		{"links that are templates", func(c *Alerting) { c.ExternalURL, c.GrafanaURL = "http://a/{{b}}", "http://a#b" }, []string{
			`external_url: "http://a/{{b}}"` + badURL, "grafana_url: the value" + badURL,
		}},
		{"links with a path", func(c *Alerting) { c.ExternalURL, c.GrafanaURL = "https://a:1/b/", "http://[::1]/c" }, nil},
		{"no job", func(c *Alerting) { c.Job = "" }, []string{`job: "" is not a job_name of prometheus.yml`}},
		{"job", func(c *Alerting) { c.Job = "{{a}}" }, []string{`job: "{{a}}" is not a job_name of prometheus.yml`}},
		{"severities", func(c *Alerting) {
			c.Severities = map[string]string{"ServiceGroupMassFailure": "page", "Watchdog": "none", "ServiceGroupOutage": "info"}
		}, []string{
			`severities.ServiceGroupMassFailure: "page"` + badWord,
			`severities.Watchdog: "Watchdog" is not one of ` + strings.Join(AlertNames(), ", ") + `; did you mean "ServiceGroupWatchdog"?`,
		}},
		{"names of labels", func(c *Alerting) {
			c.Labels, c.ExternalLabels = map[string]string{"a-b": "c", "__name__": "d"}, map[string]string{"1a": "c"}
		}, []string{
			"labels.a-b: is not a label name: it must have letters, digits and _, no digit first, and not begin with __", "external_labels.1a: is not a label name: it must have letters, digits and _, no digit first, and not begin with __",
			"labels.__name__: is not a label name: it must have letters, digits and _, no digit first, and not begin with __",
		}},
		{"own labels", func(c *Alerting) {
			c.Labels = map[string]string{"host": "a", "source": "b", "instance": "c", "alertmanager": "d"}
			c.ExternalLabels = map[string]string{"severity": "c", "scope": "d", "instance": "e"}
		}, []string{
			`labels.host: alerts have a label "host" of their own`, `labels.source: alerts have a label "source" of their own`,
			`external_labels.severity: alerts have a label "severity" of their own`,
			`external_labels.scope: alerts have a label "scope" of their own`,
			`labels.instance: alerts have a label "instance" of their own`,
			`labels.alertmanager: alerts have a label "alertmanager" of their own`,
		}},
		{"values of labels", func(c *Alerting) {
			c.Labels, c.ExternalLabels = map[string]string{"a": "{{ $value }}"}, map[string]string{"b": "\xff"}
		}, []string{`labels.a: "{{ $value }}" is not plain text of one line`, `external_labels.b: "\xff" is not plain text of one line`}},
		{"labels that can't be dropped", func(c *Alerting) { c.DropLabels = []string{"replica", "member", "host"} }, []string{
			`drop_labels[1]: without label "member" alerts can't be told apart`,
			`drop_labels[2]: without label "host" alerts can't be told apart`,
		}},
		{"host query", func(c *Alerting) { c.HostQuery = "{{ up }}" }, []string{"host_query: is not a PromQL expression without templates"}},
		{"no host query", func(c *Alerting) { c.HostQuery, c.Prometheus = "", new(DefaultAlertmanager()) }, []string{
			"prometheus.url: is missing: write a URL like http://alertmanager:9093", "prometheus: is not asked for anything without a host_query",
		}},
		{"host label", func(c *Alerting) { c.HostLabel = "member" }, []string{`host_label: "member"` + badHost}},
		{"name of the host label", func(c *Alerting) { c.HostLabel = "a-b" }, []string{`host_label: "a-b"` + badHost}},
		{"reserved host label", func(c *Alerting) { c.HostLabel = "__a" }, []string{`host_label: "__a"` + badHost}},
		{"no host label", func(c *Alerting) { c.HostLabel, c.Labels = "", map[string]string{"host": "a"} }, nil},
		{"another host label", func(c *Alerting) { c.HostLabel = "instance" }, nil},
		{"another cluster label", func(c *Alerting) { c.ClusterLabel, c.Labels = "region", map[string]string{"region": "eu"} }, nil},
		{"no cluster label", func(c *Alerting) { c.ClusterLabel = "" }, []string{`cluster_label: ""` + badCluster}},
		{"a label of alerts as the cluster label", func(c *Alerting) { c.ClusterLabel = "source" }, []string{`cluster_label: "source"` + badCluster}},
		{"a label of exporters as the cluster label", func(c *Alerting) { c.ClusterLabel = "instance" }, []string{`cluster_label: "instance"` + badCluster}},
		{"selector", func(c *Alerting) { c.Selector = ` source=~"nova(/.+)?", cluster != "a\"b", env!~"c|d" ` }, nil},
		{"selector with braces", func(c *Alerting) { c.Selector = `{source="nova"}` }, []string{
			`selector: must be matchers like source="nova", cluster="a", without braces; wrong from "{source=\"nova\"}" on`,
		}},
		{"selector with labels of members, and the job", func(c *Alerting) { c.Selector = `group="a", job="b"` }, []string{
			"selector: can't match group: select by source, and by labels of targets such as cluster",
			"selector: can't match job: set alerting.job to the name of the scrape job",
		}},
		{"selector that is no regular expression", func(c *Alerting) { c.Selector = `source=~"("` }, []string{
			"selector: \"(\" is not a regular expression: error parsing regexp: missing closing ): `(`",
		}},
		{"omitted alerts", func(c *Alerting) { c.OmitAlerts = []string{"ServiceGroupWatchdog", "ServiceGroupMemberDownInfo"} }, []string{
			`omit_alerts[1]: "ServiceGroupMemberDownInfo" is not one of ` + strings.Join(AlertNames(), ", ") + `; did you mean "ServiceGroupMemberDown"?`,
		}},
		{"groups", func(c *Alerting) {
			c.Groups = []AlertGroup{
				{Severity: "page"},
				{Group: "a\xff", MinMembers: -1},
				{Group: "b", DegradedRatio: 1.01},
				{Group: "c", DegradedRatio: -0.1},
				{Group: "d", DegradedRatio: math.NaN()},
				{Group: "e"},
				{Group: "f", DegradedRatio: 1},
				{Group: "g", SuspectedSeverity: "Info"},
				{Group: "h", SuspectedSeverity: "critical"},
			}
		}, []string{
			`groups[0].group: ""` + badGroup, `groups[0].severity: "page"` + badWord,
			`groups[1].group: "a\xff"` + badGroup, "groups[1].min_members: is -1, must not be negative",
			"groups[2].degraded_ratio: is 1.01, must be more than 0 and at most 1",
			"groups[3].degraded_ratio: is -0.1, must be more than 0 and at most 1",
			"groups[4].degraded_ratio: is NaN, must be more than 0 and at most 1",
			"groups[5].group: nothing is set for this group: set severity, suspected_severity, min_members or degraded_ratio",
			`groups[7].suspected_severity: "Info" is not one of critical, warning, info, none; did you mean "info"?`,
		}},
		{"alertmanagers", func(c *Alerting) {
			c.Alertmanagers = []Alertmanager{at("http://am/"), at("http://am"), at("am:9093"), at("http://other")}
			c.Alertmanagers[3].Timeout = 0
		}, []string{
			"alertmanagers[1].url: is the URL of alertmanagers[0], too",
			"alertmanagers[2].url: \"am:9093\" is not a URL like http://alertmanager:9093",
			"alertmanagers[3].timeout: is 0s, must be positive",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := DefaultAlerting()
			test.set(&c)
			var got []string
			for _, e := range fieldErrors("", c.Validate()) {
				got = append(got, e.Error())
			}
			require.ElementsMatch(t, test.want, got)
		})
	}
}

func at(address string) Alertmanager {
	c := DefaultAlertmanager()
	u, err := url.Parse(address)
	if err != nil {
		panic(err) // Of a constant.
	}
	c.URL = promconfig.URL{URL: u}
	return c
}

func TestOverlappingGroups(t *testing.T) {
	for _, test := range []struct {
		a, b     AlertGroup
		overlaps bool
	}{
		{AlertGroup{Group: "a"}, AlertGroup{Group: "a"}, true},
		{AlertGroup{Group: "a"}, AlertGroup{Group: "b"}, false},
		{AlertGroup{Group: "a"}, AlertGroup{Group: "a", Source: "s"}, true},
		{AlertGroup{Group: "a", Source: "s"}, AlertGroup{Group: "a", Source: "s"}, true},
		{AlertGroup{Group: "a", Source: "s"}, AlertGroup{Group: "a", Source: "t"}, false},
		{AlertGroup{Group: "a", Source: "s"}, AlertGroup{Group: "a", Source: "s2"}, false},
		{AlertGroup{Group: "a", Source: "s"}, AlertGroup{Group: "a", Source: "s/cell"}, true},
		{AlertGroup{Group: "a", Source: "s/cell"}, AlertGroup{Group: "a", Source: "s/cell2"}, false},
	} {
		for _, pair := range [][]AlertGroup{{test.a, test.b}, {test.b, test.a}} {
			c := DefaultAlerting()
			for i := range pair {
				pair[i].MinMembers = 1
			}
			c.Groups = pair
			if !test.overlaps {
				require.NoError(t, c.Validate(), "%+v", pair)
				continue
			}
			require.EqualError(t, c.Validate(), "groups[1].group: groups[0] has settings for this group already", "%+v", pair)
		}
	}
}

func TestDurationOrNever(t *testing.T) {
	for text, want := range map[string]DurationOrNever{"never": Never, "0s": 0, "5m": DurationOrNever(5 * time.Minute)} {
		var p DurationOrNever
		require.NoError(t, p.UnmarshalText([]byte(text)))
		require.Equal(t, want, p)
		written, err := p.MarshalText()
		require.NoError(t, err)
		var again DurationOrNever
		require.NoError(t, again.UnmarshalText(written))
		require.Equal(t, want, again)
	}
	var p DurationOrNever
	for _, text := range []string{"Never", "-1ns", "5"} {
		require.Error(t, p.UnmarshalText([]byte(text)))
	}
}

func TestMatchers(t *testing.T) {
	got, err := Matchers(`source=~"nova(/.+)?",cluster = "a, b=\"c\"\n",`)
	require.NoError(t, err)
	require.Equal(t, []Matcher{{"source", `source=~"nova(/.+)?"`}, {"cluster", `cluster="a, b=\"c\"\n"`}}, got)
	for _, selector := range []string{"a", `a="b" c="d"`, `a=b`, `a="b`, `a-b="c"`, `a="\q"`, `a=="b"`, `,a="b"`} {
		_, err := Matchers(selector)
		require.Error(t, err, selector)
	}
}

func TestSourceSelector(t *testing.T) {
	c := Config{Sources: []Source{{Name: "zk.1"}}}
	require.Equal(t, `source="zk.1"`, c.SourceSelector())
	c.Sources = append(c.Sources, Source{Name: "nova", Nova: &Nova{}})
	require.Equal(t, `source=~"nova(/.+)?|zk\\.1"`, c.SourceSelector())
}
