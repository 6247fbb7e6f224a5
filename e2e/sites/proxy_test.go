package sites

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// Behind a proxy whose clock is a minute late, a death is notified once and stays.
func TestProxyWithAnotherClock(t *testing.T) {
	t.Parallel()
	for name, program := range alertmanagers(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hook := testserver.Webhook(t)
			am := testserver.AlertmanagerAt(t, program, fmt.Sprintf(route, hook.URL()))
			to, err := url.Parse(am.URL())
			require.NoError(t, err)
			proxy := httputil.NewSingleHostReverseProxy(to)
			proxy.ModifyResponse = func(response *http.Response) error {
				response.Header.Set("Date", time.Now().Add(-time.Minute).UTC().Format(http.TimeFormat))
				return nil
			}
			front := httptest.NewServer(proxy)
			t.Cleanup(front.Close)
			c := newCloud(t, "nova", fmt.Sprintf("alerting: {alertmanagers: [{url: %q}], resend_interval: 1s}\n", front.URL))
			metrics := func() string {
				response, err := http.Get("http://" + c.web + "/metrics")
				require.NoError(t, err)
				defer response.Body.Close()
				text, err := io.ReadAll(response.Body)
				require.NoError(t, err)
				return string(text)
			}
			metrics()
			c.die("c1")
			testserver.Eventually(t, func() bool { metrics(); return len(hook.All()) > 0 }, patience, pause, "a notification")
			end := time.Now().Add(8 * time.Second) // Posts are valid for 3 s.
			testserver.Eventually(t, func() bool {
				metrics()
				require.NotEmpty(t, am.Alerts(), "the alert stays")
				return time.Now().After(end)
			}, patience, pause, "some posts")
			require.Equal(t, []string{"firing MemberDown compute c1"}, notified(hook, "ServiceGroupMemberDown"))
			require.Contains(t, metrics(), fmt.Sprintf("servicegroup_notifications_over_on_arrival_total{alertmanager=%q} 0", front.URL))
			require.Contains(t, c.exporter.Log(), "Date header of Alertmanager's answers is wrong")
		})
	}
}
