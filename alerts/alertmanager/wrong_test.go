package alertmanager

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	promconfig "github.com/prometheus/common/config"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/config"
)

// A wrong URL or wrong credentials are logged once, with what to correct.
func TestWrongURL(t *testing.T) {
	t.Parallel()
	server := alertmanager(t)
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // It logs requests without TLS.
	secure.StartTLS()
	t.Cleanup(secure.Close)
	protected := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "go away", http.StatusUnauthorized)
	}))
	t.Cleanup(protected.Close)
	for name, tt := range map[string]struct {
		url    string
		config func(*config.Alertmanager)
		want   string
	}{
		"wrong path prefix": {
			server.URL() + "/prefix", nil,
			`reason=rejected err="the answer is 404 Not Found: the URL must be that of Alertmanager's own pages, with its path prefix"`,
		},
		"https, but no TLS": {
			"https" + strings.TrimPrefix(server.URL(), "http"), nil,
			`reason=connect err="http: server gave HTTP response to HTTPS client"`,
		},
		"http, but TLS": {
			"http" + strings.TrimPrefix(secure.URL, "https"), nil,
			`reason=rejected err="the answer is 400 Bad Request and not from Alertmanager: check http or https, and the path"`,
		},
		"wrong credentials": {
			protected.URL, func(c *config.Alertmanager) { c.BasicAuth = &promconfig.BasicAuth{Username: "u", Password: "hunter2"} },
			`reason=auth err="the answer is 401 Unauthorized"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := startClient(t, tt.url, tt.config)
			r.Send(alertOf("m1"))
			eventually(t, "two failures", func() bool { return r.value("notifications_errors_total", "reason", reasonIn(tt.want)) >= 2 })
			require.Contains(t, r.log.String(), `level=WARN msg="Alertmanager does not accept alerts" alertmanager=`+tt.url+" "+tt.want)
			require.Equal(t, 1, strings.Count(r.log.String(), "\n"))
			require.InDelta(t, 0, r.value("notifications_alertmanager_up"), 0)
		})
	}
}

func reasonIn(text string) string {
	reason, _, _ := strings.Cut(strings.TrimPrefix(text, "reason="), " ")
	return reason
}
