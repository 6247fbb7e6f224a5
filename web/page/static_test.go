package page

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/alerts/alertmanager"
	"servicegroup_exporter/alerts/bridge"
	"servicegroup_exporter/collector"
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/web/api"
)

// pastEvents are the events that a history begins with.
type pastEvents []collector.Event

func (pastEvents) Subscribe(int) (<-chan collector.Event, func()) { return nil, func() {} }
func (p pastEvents) PastEvents(int64) []collector.Event           { return p }
func (p pastEvents) LastPastID() int64                            { return p[len(p)-1].ID }

// firing are the alerts of a bridge.
type firing struct {
	alerts  []bridge.FiringAlert
	answers func(host string) string
}

func (f firing) Firing(want func(alerts.ID) bool, _, _ int64) bridge.Firing {
	var all bridge.Firing
	for _, a := range f.alerts {
		if want(a.ID) {
			all.Alerts = append(all.Alerts, a)
		}
	}
	return all
}

func (f firing) HostAnswers() func(string) string { return f.answers }

func about(group, member string) bridge.FiringAlert {
	return bridge.FiringAlert{
		ID: alerts.ID{Alert: alerts.MemberDown, Source: "a", Group: group, Member: member},
		Alert: &alertmanager.Alert{
			Labels: map[string]string{"severity": "critical"}, Annotations: map[string]string{"summary": "<" + member + "> is down", "host_answers": "no"},
			Start: time.Date(2026, 11, 28, 22, 31, 5, 0, time.UTC),
		},
	}
}

// Without JavaScript, the pages have the attributes of a member, the alerts, and the newest events, each only of what was asked for.
func TestPagesWithoutScripts(t *testing.T) {
	at := time.Date(2026, 11, 28, 22, 31, 5, 0, time.UTC)
	history := api.NewHistory(pastEvents{
		{ID: 1, Time: at, Type: collector.EventDeath, Source: "a", Member: drivers.Member{Group: "big", Name: "<m002>"}},
		{ID: 2, Time: at, Type: collector.EventJoin, Source: "a", Member: drivers.Member{Group: "b", Name: "c"}},
		{ID: 3, Time: at, Type: collector.EventSourceLost, Source: "lost", Err: errors.New("refused <now>")},
	})
	h := newPages(t, Options{MetricsPath: "/metrics", History: history, Alerts: firing{alerts: []bridge.FiringAlert{about("big", "<m002>"), about("b", "c")}}})
	const (
		death = "<li>2026-11-28 22:31:05 UTC death: source a, group big, member &lt;m002&gt;</li>"
		join  = "<li>2026-11-28 22:31:05 UTC join: source a, group b, member c</li>"
		lost  = "<li>2026-11-28 22:31:05 UTC source_lost: source lost: refused &lt;now&gt; <a href=\"runbooks/ServiceGroupSourceUnreachable\">Runbook</a></li>"
		fires = "<li>critical: &lt;&lt;m002&gt;&gt; is down, since 2026-11-28 22:31:05 UTC, host answers: no <a href=\"runbooks/ServiceGroupMemberDown\">Runbook</a></li>"
		none  = "<li>None fires by this program.</li>"
	)
	for path, test := range map[string]struct{ has, hasNot []string }{
		"/":         {[]string{death, join, lost, fires}, []string{none}},
		"/?group=b": {[]string{join}, []string{death, lost, fires}},
		"/member?source=a&group=big&member=%3Cm002%3E": {
			[]string{
				`<h1 class="name" id="static-title">&lt;m002&gt;</h1>`, `<p class="down">down for `, "<dt>Source</dt><dd>a</dd>",
				"<dt>Deaths and recoveries</dt><dd>0</dd>", "<dt>Age of the last heartbeat</dt><dd>1s</dd>", death, fires, "Runbook: a member is down",
			},
			[]string{join, lost, "<dt>Zone</dt>", "<dt>Enabled</dt>", none},
		},
		"/member?group=b&member=c":                {[]string{`<p class="up">up for `, join, "<dt>Group</dt><dd>b</dd>"}, []string{death, fires, "Runbook: a"}},
		"/member?source=lost&group=g&member=gone": {[]string{"There is no data about this member yet", none}, []string{join, death, fires}},
	} {
		text := get(t, h, path, nil).Body.String()
		for _, part := range test.has {
			require.Contains(t, text, part, path)
		}
		for _, part := range test.hasNot {
			require.NotContains(t, text, part, path)
		}
	}
}
