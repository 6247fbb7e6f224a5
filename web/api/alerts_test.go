package api

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/alerts/alertmanager"
	"servicegroup_exporter/alerts/bridge"
)

// fakeAlerts are alerts that a test sets.
type fakeAlerts struct {
	firing  bridge.Firing
	answers func(host string) string
}

func (f *fakeAlerts) HostAnswers() func(host string) string { return f.answers }

func (f *fakeAlerts) Firing(want func(alerts.ID) bool, offset, limit int64) bridge.Firing {
	firing := f.firing
	firing.Alerts = slices.DeleteFunc(slices.Clone(firing.Alerts), func(a bridge.FiringAlert) bool { return !want(a.ID) })
	firing.Total = len(firing.Alerts)
	firing.Alerts = firing.Alerts[min(offset, int64(firing.Total)):]
	firing.Alerts = firing.Alerts[:min(limit, int64(len(firing.Alerts)))]
	return firing
}

// has sets the alerts that fire, each in one Alertmanager.
func (f *fakeAlerts) has(place bridge.Place, ids ...alerts.ID) {
	f.firing = bridge.Firing{Sends: true, Alertmanagers: []bridge.Receiver{{Name: "http://am:9093"}}}
	for _, id := range ids {
		labels := map[string]string{"alertname": id.Alert, "severity": "critical", "source": id.Source, "cluster": "east"}
		f.firing.Alerts = append(f.firing.Alerts, bridge.FiringAlert{
			ID: id, Alert: &alertmanager.Alert{Labels: labels, Annotations: map[string]string{"summary": "a death"}, Start: time.Now()},
			Places: []bridge.Place{place},
		})
	}
}

func TestAlerts(t *testing.T) {
	b := newBench(t, "nova", "cinder")
	var answer alertsAnswer
	decode(t, b.ok("/api/v1/alerts"), &answer)
	require.False(t, answer.Sends)
	require.Empty(t, answer.Alerts)

	c1 := alerts.ID{Alert: alerts.MemberDown, Source: "nova", Group: "compute", Member: "c1"}
	c2 := alerts.ID{Alert: alerts.MemberDown, Source: "nova", Group: "compute", Member: "c2"}
	outage := alerts.ID{Alert: alerts.Outage, Source: "cinder", Group: "volume"}
	b.alerts.has(bridge.Place{Status: alertmanager.Status{
		Delivery: alertmanager.Failed, Reason: "no answer in time", Known: true, SilencedBy: []string{"1-2-3"},
	}, SilenceURLs: []string{"http://am:9093/#/silences/1-2-3"}}, c1, c2, outage)
	for _, tt := range []struct {
		query string
		total int
		want  []alerts.ID
	}{
		{"", 3, []alerts.ID{c1, c2, outage}},
		{"?limit=1&offset=1", 3, []alerts.ID{c2}},
		{"?offset=9", 3, nil},
		{"?source=cinder", 1, []alerts.ID{outage}},
		{"?group=compute", 2, []alerts.ID{c1, c2}},
		{"?source=nova&group=compute&member=c2", 1, []alerts.ID{c2}},
		{"?member=gone", 0, nil},
	} {
		decode(t, b.ok("/api/v1/alerts"+tt.query), &answer)
		require.Equal(t, tt.total, answer.Total, tt.query)
		var got []alerts.ID
		for _, a := range answer.Alerts {
			got = append(got, alerts.ID{Alert: a.Runbook, Source: a.Source, Group: a.Group, Member: a.Member})
		}
		require.Equal(t, tt.want, got, tt.query)
	}
	decode(t, b.ok("/api/v1/alerts?member=c1"), &answer)
	require.Equal(t, delivery{
		Alertmanager: "http://am:9093", State: "failed", Error: "no answer in time", Known: true, SilencedBy: []string{"1-2-3"},
		InhibitedBy: []string{}, MutedBy: []string{}, SilenceURLs: []string{"http://am:9093/#/silences/1-2-3"},
	}, answer.Alerts[0].Deliveries[0])
	status, _ := b.get("/api/v1/alerts?source=gone")
	require.Equal(t, 404, status)
}
