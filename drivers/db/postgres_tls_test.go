package db

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// The server has no TLS at first; then it requires encryption of some users and a certificate of others.
func TestPostgresTLS(t *testing.T) {
	clearEnvironment(t)
	trusted, other := testserver.NewAuthority(t), testserver.NewAuthority(t)
	server := testserver.PostgreSQL(t)
	db := table(t, server, "nova", zed)
	run(t, db, "CREATE ROLE encrypted LOGIN; GRANT SELECT ON services TO encrypted")
	run(t, db, "CREATE ROLE certified LOGIN; GRANT SELECT ON services TO certified")
	run(t, db, "CREATE ROLE kerberos LOGIN; GRANT SELECT ON services TO kerberos")
	ca, otherCA := "&sslrootcert="+trusted.File, "&sslrootcert="+other.File
	const connect, auth = drivers.ReasonConnect, drivers.ReasonAuth
	full := func(c *testserver.Certificate) string {
		return "?sslmode=verify-full" + ca + "&sslcert=" + c.CertFile + "&sslkey=" + c.KeyFile
	}
	t.Run("server in the clear", func(t *testing.T) {
		for _, query := range []string{"?sslmode=require", "?sslmode=verify-full" + ca} {
			(&tlsCase{"encrypted", "127.0.0.1", query, connect, "refused TLS"}).check(t, "postgresql", server.Addr())
		}
		(&tlsCase{user: "encrypted", host: "127.0.0.1", query: "?sslmode=prefer"}).check(t, "postgresql", server.Addr())
	})
	server.EnableTLS(trusted, trusted.Issue("127.0.0.1"), "host all postgres 127.0.0.1/32 trust",
		"hostssl all certified 127.0.0.1/32 trust clientcert=verify-ca", "hostssl all encrypted 127.0.0.1/32 trust",
		"host all kerberos 127.0.0.1/32 gss")
	for name, test := range map[string]tlsCase{
		"default":                 {user: "encrypted", host: "127.0.0.1"},
		"Kerberos":                {"kerberos", "127.0.0.1", "?sslmode=verify-full" + ca, auth, "requires Kerberos (GSSAPI), which is not supported"},
		"Kerberos in the clear":   {"kerberos", "127.0.0.1", "?sslmode=disable", auth, "requires Kerberos (GSSAPI), which is not supported"},
		"in the clear":            {"encrypted", "127.0.0.1", "?sslmode=disable", auth, "no encryption"},
		"unchecked":               {user: "encrypted", host: "127.0.0.1", query: "?sslmode=require"},
		"right":                   {user: "encrypted", host: "127.0.0.1", query: "?sslmode=verify-full" + ca},
		"asyncpg's word":          {user: "encrypted", host: "127.0.0.1", query: "?ssl=verify-full" + ca},
		"other CA":                {"encrypted", "127.0.0.1", "?sslmode=verify-full" + otherCA, connect, "unknown authority"},
		"the system's CAs":        {"encrypted", "127.0.0.1", "?sslmode=verify-full", connect, "unknown authority"},
		"other host":              {"encrypted", "localhost", "?sslmode=verify-full" + ca, connect, "sslmode=verify-ca"},
		"chain":                   {user: "encrypted", host: "localhost", query: "?sslmode=verify-ca" + ca},
		"chain of other CA":       {"encrypted", "localhost", "?sslmode=verify-ca" + otherCA, connect, "unknown authority"},
		"certificate":             {user: "certified", host: "127.0.0.1", query: full(trusted.Issue("certified"))},
		"no certificate":          {"certified", "127.0.0.1", "?sslmode=verify-full" + ca, auth, "certificate"},
		"certificate of other CA": {"certified", "127.0.0.1", full(other.Issue("certified")), auth, "certificate"},
		"expired certificate":     {"certified", "127.0.0.1", full(trusted.IssueExpired("certified")), auth, "certificate"},
	} {
		t.Run(name, func(t *testing.T) { test.check(t, "postgresql", server.Addr()) })
	}
	t.Run("replaced files", func(t *testing.T) {
		mine := trusted.IssueExpired("certified")
		d := open(t, config("postgresql://certified@"+server.Addr()+"/nova"+full(mine)))
		require.ErrorContains(t, failsFor(t, d, auth), "certificate")
		mine.Replace(t, trusted.Issue("certified"))
		poll(t, d)
	})
	t.Run("common name only", func(t *testing.T) {
		server.EnableTLS(trusted, trusted.IssueCommonName("localhost"))
		const says = "sslmode=verify-ca in the URL"
		testserver.Eventually(t, func() bool {
			_, err := open(t, config("postgresql://encrypted@"+strings.Replace(server.Addr(), "127.0.0.1", "localhost", 1)+"/nova?sslmode=verify-full"+ca)).Members(t.Context())
			return err != nil && strings.Contains(err.Error(), "Common Name") && strings.Contains(err.Error(), says)
		}, time.Minute, 50*time.Millisecond, "the server uses the certificate")
		(&tlsCase{user: "encrypted", host: "localhost", query: "?sslmode=verify-ca" + ca}).check(t, "postgresql", server.Addr())
	})
	t.Run("expired", func(t *testing.T) {
		server.EnableTLS(trusted, trusted.IssueExpired("127.0.0.1"))
		testserver.Eventually(t, func() bool {
			_, err := open(t, config("postgresql://encrypted@"+server.Addr()+"/nova?sslmode=verify-full"+ca)).Members(t.Context())
			return err != nil
		}, time.Minute, 50*time.Millisecond, "the server uses the expired certificate")
		for _, mode := range []string{"verify-full", "verify-ca"} {
			(&tlsCase{"encrypted", "127.0.0.1", "?sslmode=" + mode + ca, connect, "expired"}).check(t, "postgresql", server.Addr())
		}
	})
}
