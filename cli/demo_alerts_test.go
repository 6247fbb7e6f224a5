package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/alerts/alertmanager"
	"servicegroup_exporter/config"
)

// The page shows the alerts that were posted, each once, and whether they have ended.
func TestDemoAlertmanager(t *testing.T) {
	m, err := newDemoAlertmanager(t.Context())
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- m.run(t.Context()) }()
	get := func(path string) string {
		response, err := http.Get(m.url() + path)
		require.NoError(t, err)
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return string(body)
	}
	post := func(members ...*alertmanager.Alert) {
		body, err := json.Marshal(members)
		require.NoError(t, err)
		response, err := http.Post(m.url()+"api/v2/alerts", "application/json", bytes.NewReader(body))
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusOK, response.StatusCode)
	}
	builder := alerts.NewBuilder(new(config.DefaultAlerting()))
	alert := func(member string, end time.Duration) *alertmanager.Alert {
		a := builder.Build(alerts.ID{Alert: alerts.MemberDown, Source: "demo", Group: "web", Member: member}, alerts.Facts{})
		a.Start, a.End = time.Now(), time.Now().Add(end)
		return a
	}
	changes := func() (all []string) {
		for len(m.changed) > 0 {
			a := <-m.changed
			all = append(all, a.name())
		}
		return all
	}

	require.Contains(t, get(""), "No alert has been posted yet")
	require.Contains(t, get("api/v2/status"), "versionInfo", "the bridge asks whether this is an Alertmanager")
	post(alert("a", time.Hour), alert("<b>", time.Hour))
	post(alert("a", time.Hour))
	require.Equal(t, []string{"web/a", "web/<b>"}, changes(), "a repetition is no change")
	require.Contains(t, get(""), "ServiceGroupMemberDown (critical): &lt;b&gt; in group web is down")
	require.NotContains(t, get(""), "resolved</b>")
	var firing []alertmanager.Alert
	require.NoError(t, json.Unmarshal([]byte(get("api/v2/alerts")), &firing))
	require.Len(t, firing, 2)

	post(alert("a", 0))
	post(alert("a", 0))
	require.Equal(t, []string{"web/a"}, changes(), "the end is told once")
	require.Contains(t, get(""), "resolved</b>")
	require.NoError(t, json.Unmarshal([]byte(get("api/v2/alerts")), &firing))
	require.Len(t, firing, 1)
	post(alert("a", time.Hour))
	require.Equal(t, []string{"web/a"}, changes(), "it fires again")
	require.NotContains(t, get(""), "resolved</b>")
}
