package docs_test

import (
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"servicegroup_exporter/internal/testserver"
)

// The hardened example is set up as its page says, with a real database and Alertmanager that require TLS. A Prometheus with the
// job of the page scrapes it.
func TestHardening(t *testing.T) {
	authority := testserver.NewAuthority(t)
	own := authority.IssueFor(365*24*time.Hour, "127.0.0.1")
	s := newSite(t, "--ssl-ca="+authority.File, "--ssl-cert="+own.CertFile, "--ssl-key="+own.KeyFile)
	alertmanager := testserver.AlertmanagerTLS(t, "route: {receiver: none}\nreceivers: [{name: none}]\n", authority, own)
	for name, file := range map[string]string{"ca.pem": authority.File, "exporter.pem": own.CertFile, "exporter.key": own.KeyFile} {
		require.NoError(t, os.Symlink(file, filepath.Join(s.path("etc"), name)))
	}
	password := filepath.Join(s.dir, "exporter-password")
	require.NoError(t, os.WriteFile(password, []byte("for Prometheus"), 0o600))
	hash, err := bcrypt.GenerateFromPassword([]byte("for Prometheus"), bcrypt.MinCost)
	require.NoError(t, err)
	s.others = append(s.others, "10.0.0.5", "127.0.0.1", "db.example.com/nova", s.database.Addr()+"/nova", "db.example.com:3306", s.database.Addr(),
		"alertmanager.example.com:9093", alertmanager.Addr(), "exporter.example.com:10199", s.address, "$2y$10$…", string(hash),
		"/etc/prometheus/ca.pem", authority.File, "/etc/prometheus/exporter-password", password)
	for _, name := range []string{"compute-1", "compute-2"} {
		s.member(t, "compute", name, 0)
	}

	page := parts(t, "hardening.md")
	s.take(t, page["The account"], 2)
	s.take(t, page["The exporter"], 3)
	testserver.Eventually(t, func() bool { return accepts(s.address) }, patience, 50*time.Millisecond, "the exporter listens")
	s.take(t, page["Prometheus"], 1)
	job, err := os.ReadFile(filepath.Join(s.dir, "prometheus.yml"))
	require.NoError(t, err)
	prometheus := testserver.Prometheus(t, "global: {scrape_interval: 300ms}\n"+string(job))
	testserver.Eventually(t, func() bool { return len(prometheus.Query(`service_up{group="compute"} == 1`)) == 2 }, patience, 100*time.Millisecond, "the members are scraped")
	s.take(t, page["The firewall"], 1)
}

// accepts returns whether a server accepts connections.
func accepts(address string) bool {
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}
