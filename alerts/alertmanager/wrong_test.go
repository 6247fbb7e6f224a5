package alertmanager

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"servicegroup_exporter/config"

	promconfig "github.com/prometheus/common/config"
	"github.com/stretchr/testify/require"
)

// What is wrong with a URL or with who may use it is told once, by what is to be put right.
func TestWrongURL(t *testing.T) {
	t.Parallel()
	server := alertmanager(t)
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // It tells of those who speak without TLS.
	secure.StartTLS()
	t.Cleanup(secure.Close)
	guard := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "go away", http.StatusUnauthorized)
	}))
	t.Cleanup(guard.Close)
	for name, tt := range map[string]struct {
		url    string
		config func(*config.Alertmanager)
		want   string
	}{
		"no prefix there": {
			server.URL() + "/prefix", nil,
			`reason=rejected err="answered 404 Not Found: the URL must be where Alertmanager's own pages begin, with its path prefix"`,
		},
		"not with TLS": {
			"https" + strings.TrimPrefix(server.URL(), "http"), nil,
			`reason=connect err="http: server gave HTTP response to HTTPS client"`,
		},
		"with TLS": {
			"http" + strings.TrimPrefix(secure.URL, "https"), nil,
			`reason=rejected err="answered 400 Bad Request, and not as Alertmanager does: check http or https, and the path"`,
		},
		"not by us": {
			guard.URL, func(c *config.Alertmanager) { c.BasicAuth = &promconfig.BasicAuth{Username: "u", Password: "hunter2"} },
			`reason=auth err="answered 401 Unauthorized"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := clientOf(t, tt.url, tt.config)
			r.Send(alertOf("m1"))
			eventually(t, "two failures", func() bool { return r.value("failed_total", "reason", reasonIn(tt.want)) >= 2 })
			require.Contains(t, r.log.String(), `level=WARN msg="Alertmanager takes no alerts" alertmanager=`+tt.url+" "+tt.want)
			require.Equal(t, 1, strings.Count(r.log.String(), "\n"))
			require.InDelta(t, 0, r.value("alertmanager_up"), 0)
		})
	}
}

func reasonIn(text string) string {
	reason, _, _ := strings.Cut(strings.TrimPrefix(text, "reason="), " ")
	return reason
}
