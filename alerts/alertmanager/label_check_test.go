package alertmanager

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCheckLabels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		r := newTestClient(t, f, nil)
		a := alertOf("a \"quoted\"\\\nname")
		a.Labels["cluster"] = "prod"
		a.Labels["host"] = ""
		group := alertOf("")
		group.Labels = map[string]string{"alertname": "ServiceGroupOutage", "source": "nova", "group": "compute"}
		ended, watchdog := resolved(alertOf("b"), time.Now()), &Alert{Labels: map[string]string{"alertname": "ServiceGroupWatchdog"}}
		ended.Labels = map[string]string{"alertname": "Other", "source": "nova"}
		alerts := []*Alert{watchdog, ended, a, alertOf("not checked: one of a name is enough")}
		f.active = []Alert{{Labels: a.Labels}}

		require.NoError(t, r.CheckLabels(t.Context(), alerts))
		query, err := url.ParseQuery(f.query)
		require.NoError(t, err)
		require.Equal(t, []string{
			`alertname="ServiceGroupMemberDown"`, `source="nova"`, `group="compute"`, `member="a \"quoted\"\\\nname"`,
		}, query["filter"])
		require.Equal(t, 1, f.asked)
		require.Empty(t, r.log.String())

		other := map[string]string{"replica": "a", "severity": "critical"}
		for name, value := range a.Labels {
			if _, set := other[name]; !set && name != "cluster" {
				other[name] = value
			}
		}
		f.active = append(f.active, Alert{Labels: other})
		for range 2 {
			require.NoError(t, r.CheckLabels(t.Context(), alerts))
		}
		for _, label := range []string{"cluster", "replica", "severity"} {
			require.InDelta(t, 1, r.value("notifications_label_mismatches", "label", label), 0)
		}
		require.Equal(t, 1, strings.Count(r.log.String(), "\n"))
		require.Contains(t, r.log.String(), `differ="[cluster replica severity]"`)
		require.Contains(t, r.log.String(), "drop_labels")

		f.active = []Alert{{Labels: a.Labels}}
		require.NoError(t, r.CheckLabels(t.Context(), alerts))
		require.InDelta(t, 0, r.value("notifications_label_mismatches", "label", "replica"), 0)
		require.Equal(t, 2, strings.Count(r.log.String(), "\n"))

		f.active = []Alert{{Labels: map[string]string{"alertname": "ServiceGroupOutage", "source": "nova", "group": "compute", "instance": "a"}}}
		require.NoError(t, r.CheckLabels(t.Context(), []*Alert{group}))
		require.InDelta(t, 1, r.value("notifications_label_mismatches", "label", "instance"), 0)
		require.Equal(t, 5, f.asked)
	})
}

// Alerts of one name about different things are not two about the same.
func TestCheckLabelsOfAlertsAboutMoreThanAMember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		r := newTestClient(t, f, nil)
		var alerts []*Alert
		for _, labels := range []map[string]string{
			{"alertname": "ServiceGroupZoneDown", "scope": "zone", "source": "nova", "zone": "az1"},
			{"alertname": "ServiceGroupZoneDown", "scope": "zone", "source": "nova", "zone": "az2"},
			{"alertname": "ServiceGroupHostDown", "scope": "host", "host": "c1", "zone": "az1"},
			{"alertname": "ServiceGroupHostDown", "scope": "host", "host": "c2", "zone": "az2"},
			{"alertname": "ServiceGroupSourceProblem", "scope": "source", "source": "nova", "problem": "absent"},
			{"alertname": "ServiceGroupSourceProblem", "scope": "source", "source": "nova", "problem": "foreign"},
		} {
			alerts = append(alerts, &Alert{Labels: labels})
			f.active = append(f.active, Alert{Labels: labels})
		}
		require.NoError(t, r.CheckLabels(t.Context(), alerts))
		require.Equal(t, 3, f.asked)
		require.Empty(t, r.log.String())

		// Prometheus knows no zone of the host.
		f.active = append(f.active, Alert{Labels: map[string]string{"alertname": "ServiceGroupHostDown", "scope": "host", "host": "c1"}})
		require.NoError(t, r.CheckLabels(t.Context(), alerts))
		require.InDelta(t, 1, r.value("notifications_label_mismatches", "label", "zone"), 0)
	})
}

func TestCheckLabelsFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		r := newTestClient(t, f, nil)
		require.NoError(t, r.CheckLabels(t.Context(), nil))
		for name, tt := range map[string]struct{ body, want string }{
			"no alerts": {"<html>", "checking labels in http://am:9093: reading alerts: invalid character '<' looking for beginning of value"},
			"too much":  {`[{"labels":{"a":"` + strings.Repeat("x", maxAnswer), "checking labels in http://am:9093: reading alerts: http: request body too large"},
		} {
			f.answers = func(*http.Request) *http.Response { return f.answer(http.StatusOK, tt.body) }
			require.EqualError(t, r.CheckLabels(t.Context(), many(1)), tt.want, name)
		}
		f.down, f.answers = true, nil
		require.EqualError(t, r.CheckLabels(t.Context(), many(1)), "checking labels in http://am:9093: connection refused")
	})
}
