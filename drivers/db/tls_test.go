package db

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// A tlsCase is the parts of a DSN, and the error that they cause.
type tlsCase struct {
	user, host, query string
	reason            drivers.Reason // empty: no error
	says              string         // in the error
}

// check polls with the case's DSN for a scheme and a server's address.
func (c *tlsCase) check(t *testing.T, scheme, address string) {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	dsn := scheme + "://" + c.user + "@" + net.JoinHostPort(c.host, port) + "/nova" + c.query
	d := open(t, config(dsn))
	if c.reason == "" {
		poll(t, d)
		return
	}
	require.ErrorContains(t, failsFor(t, d, c.reason), c.says, dsn)
}

// failsFor polls until that fails for the reason. No poll may succeed. With TLS 1.3 the server refuses a certificate while
// the client already writes, so that the client may see the broken connection before it reads the refusal.
func failsFor(t *testing.T, d *Driver, reason drivers.Reason) (err error) {
	t.Helper()
	testserver.Eventually(t, func() bool {
		_, err = d.Members(t.Context())
		require.ErrorIs(t, err, drivers.ErrUnavailable)
		return drivers.ReasonOf(err) == reason
	}, time.Minute, 10*time.Millisecond, "polls fail for the reason %q", reason)
	return err
}

// One server requires encryption of some users and a certificate of others; another one has no TLS.
func TestTLS(t *testing.T) {
	t.Parallel()
	trusted, other := testserver.NewAuthority(t), testserver.NewAuthority(t)
	own := trusted.Issue("127.0.0.1")
	server := testserver.MariaDB(t, "--ssl-ca="+trusted.File, "--ssl-cert="+own.CertFile, "--ssl-key="+own.KeyFile)
	db := table(t, server, "nova", zed)
	exec(t, db, "CREATE USER encrypted REQUIRE SSL; GRANT SELECT ON nova.* TO encrypted;"+
		"CREATE USER certified REQUIRE X509; GRANT SELECT ON nova.* TO certified")
	clear := testserver.MariaDB(t, "--skip-ssl")
	exec(t, table(t, clear, "nova", zed), "CREATE USER encrypted; GRANT SELECT ON nova.* TO encrypted")

	ca, otherCA := "ssl_ca="+trusted.File, "ssl_ca="+other.File
	pair := func(c *testserver.Certificate) string {
		return "?" + ca + "&ssl_cert=" + c.CertFile + "&ssl_key=" + c.KeyFile
	}
	const connect, auth = drivers.ReasonConnect, drivers.ReasonAuth
	for name, test := range map[string]tlsCase{
		"in the clear":            {"encrypted", "127.0.0.1", "", auth, "1045"},
		"right":                   {user: "encrypted", host: "127.0.0.1", query: "?" + ca},
		"other CA":                {"encrypted", "127.0.0.1", "?" + otherCA, connect, "unknown authority"},
		"the system's CAs":        {"encrypted", "127.0.0.1", "?ssl_mode=VERIFY_IDENTITY", connect, "unknown authority"},
		"other host":              {"encrypted", "localhost", "?" + ca, connect, "ssl_mode=VERIFY_CA"},
		"unchecked":               {user: "encrypted", host: "127.0.0.1", query: "?ssl_mode=REQUIRED"},
		"chain":                   {user: "encrypted", host: "localhost", query: "?ssl_mode=VERIFY_CA&" + ca},
		"chain of other CA":       {"encrypted", "localhost", "?ssl_mode=VERIFY_CA&" + otherCA, connect, "unknown authority"},
		"certificate":             {user: "certified", host: "127.0.0.1", query: pair(trusted.Issue("client"))},
		"no certificate":          {"certified", "127.0.0.1", "?" + ca, auth, "1045"},
		"certificate of other CA": {"certified", "127.0.0.1", pair(other.Issue("client")), auth, "certificate authority"},
		"expired certificate":     {"certified", "127.0.0.1", pair(trusted.IssueExpired("client")), auth, "certificate"},
	} {
		t.Run(name, func(t *testing.T) { test.check(t, "mysql+pymysql", server.Addr()) })
	}
	t.Run("Go's DSN", func(t *testing.T) {
		_, err := open(t, config("encrypted@tcp("+server.Addr()+")/nova?tls=skip-verify")).Members(t.Context())
		require.NoError(t, err)
		_, err = open(t, config("encrypted@tcp("+server.Addr()+")/nova?tls=true")).Members(t.Context())
		require.ErrorContains(t, err, "unknown authority")
	})
	t.Run("server in the clear", func(t *testing.T) {
		for _, query := range []string{"?" + ca, "?ssl_mode=REQUIRED"} {
			(&tlsCase{"encrypted", "127.0.0.1", query, connect, "does not support TLS"}).check(t, "mysql", clear.Addr())
		}
	})
	t.Run("replaced files", func(t *testing.T) {
		mine := trusted.IssueExpired("client")
		d := open(t, config("mysql://certified@"+server.Addr()+"/nova"+pair(mine)))
		require.ErrorContains(t, failsFor(t, d, auth), "certificate")
		mine.Replace(t, trusted.Issue("client"))
		poll(t, d)
	})
	t.Run("common name only", func(t *testing.T) {
		own.Replace(t, trusted.IssueCommonName("localhost"))
		exec(t, db, "FLUSH SSL")
		for _, query := range []string{"?" + ca, "?ssl_verify_identity=true&" + ca, "?ssl_mode=VERIFY_IDENTITY&" + ca, "?ssl_verify_cert=true&" + ca} {
			(&tlsCase{"encrypted", "localhost", query, connect, "ssl_mode=VERIFY_CA in the URL"}).check(t, "mysql", server.Addr())
		}
		(&tlsCase{user: "encrypted", host: "localhost", query: "?ssl_mode=VERIFY_CA&" + ca}).check(t, "mysql", server.Addr())
	})
	t.Run("expired", func(t *testing.T) {
		own.Replace(t, trusted.IssueExpired("127.0.0.1"))
		exec(t, db, "FLUSH SSL")
		for _, query := range []string{"?" + ca, "?ssl_mode=VERIFY_CA&" + ca} {
			(&tlsCase{"encrypted", "127.0.0.1", query, connect, "expired"}).check(t, "mysql", server.Addr())
		}
	})
}
