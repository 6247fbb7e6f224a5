package alertmanager

import (
	"testing"

	promconfig "github.com/prometheus/common/config"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/config"
	"servicegroup_exporter/internal/testserver"
)

// A real Alertmanager requires a client certificate.
func TestTLS(t *testing.T) {
	t.Parallel()
	trusted, other := testserver.NewAuthority(t), testserver.NewAuthority(t)
	own := trusted.Issue("127.0.0.1")
	server := testserver.AlertmanagerTLS(t, "route: {receiver: none}\nreceivers: [{name: none}]\n", trusted, own)
	secure := "https://" + server.Addr()
	identity := func(ca string, c *testserver.Certificate) promconfig.TLSConfig {
		return promconfig.TLSConfig{CAFile: ca, CertFile: c.CertFile, KeyFile: c.KeyFile}
	}
	mine := trusted.Issue("client")
	named := identity(trusted.File, mine)
	named.ServerName = "elsewhere"
	connects := func(t *testing.T, url string, tls promconfig.TLSConfig, want string) *testClient {
		t.Helper()
		r := startClient(t, url, func(c *config.Alertmanager) { c.TLSConfig = tls })
		r.Send(alertOf(want))
		if want == "" {
			eventually(t, "the alert", func() bool { return r.value("notifications_sent_total") == 1 })
			return r
		}
		eventually(t, "a failure", func() bool { return r.value("notifications_errors_total", "reason", "connect") > 0 })
		r.logs(want)
		require.InDelta(t, 0, r.value("notifications_sent_total"), 0)
		return r
	}
	connects(t, secure, identity(trusted.File, mine), "")
	for name, test := range map[string]struct {
		tls  promconfig.TLSConfig
		want string
	}{
		"other CA":         {identity(other.File, mine), "unknown authority"},
		"the system's CAs": {identity("", mine), "unknown authority"},
		"other host":       {named, "elsewhere"},
		// With TLS 1.3, the client may see only that the connection broke.
		"no certificate":          {promconfig.TLSConfig{CAFile: trusted.File}, "does not accept alerts"},
		"certificate of other CA": {identity(trusted.File, other.Issue("client")), "does not accept alerts"},
	} {
		t.Run(name, func(t *testing.T) { connects(t, secure, test.tls, test.want) })
	}
	t.Run("server in the clear", func(t *testing.T) {
		plain := alertmanager(t)
		connects(t, "https://"+plain.Addr(), identity(trusted.File, mine), "server gave HTTP response to HTTPS client")
	})
	t.Run("replaced certificate", func(t *testing.T) {
		late := trusted.IssueExpired("client")
		r := connects(t, secure, identity(trusted.File, late), "does not accept alerts")
		late.Replace(t, trusted.Issue("client"))
		eventually(t, "the alert", func() bool { return r.value("notifications_sent_total") == 1 })
	})
	t.Run("expired", func(t *testing.T) {
		own.Replace(t, trusted.IssueExpired("127.0.0.1"))
		connects(t, secure, identity(trusted.File, mine), "expired")
	})
}
