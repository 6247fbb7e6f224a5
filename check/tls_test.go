package check_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// The test's certificates are valid for an hour.
const endsSoon = ", in 0 days → renew the server's certificate; once it has ended, the server can't be read"

func TestDatabaseTLS(t *testing.T) {
	t.Parallel()
	trusted, other := testserver.NewAuthority(t), testserver.NewAuthority(t)
	own := trusted.Issue("127.0.0.1")
	server := testserver.MariaDB(t, "--ssl-ca="+trusted.File, "--ssl-cert="+own.CertFile, "--ssl-key="+own.KeyFile)
	db := novaTable(t, server, "nova")
	execute(t, db, "CREATE USER reader@'%'; GRANT SELECT ON nova.services TO reader@'%'")
	at := func(parameters string) string {
		return novaSource("mysql://reader@" + server.Addr() + "/nova" + parameters)
	}

	lines := run(t, at("?ssl_ca="+trusted.File), patient)
	require.Contains(t, of(lines, "source nova", "tls"), "warning: the connection to "+server.Addr()+" uses TLS 1.3; the server's certificate ends on ")
	require.Contains(t, of(lines, "source nova", "tls"), endsSoon)
	require.Contains(t, of(run(t, at("?ssl_mode=REQUIRED"), patient), "source nova", "tls"), endsSoon)
	require.Contains(t, of(run(t, at(""), patient), "source nova", "tls"), "ok: the connection to "+server.Addr()+" is not encrypted; it does not leave this machine")
	lines = run(t, at("?ssl_ca="+other.File), patient)
	require.Contains(t, of(lines, "source nova", "read"), "failure: can't be read (connect): ")
	require.Contains(t, of(lines, "source nova", "read"), "unknown authority")

	expired := trusted.IssueExpired("127.0.0.1")
	own.Replace(t, expired)
	execute(t, db, "FLUSH SSL")
	lines = run(t, at("?ssl_ca="+trusted.File), patient)
	require.Contains(t, of(lines, "source nova", "read"), "expired")
	requireRemedies(t, lines)
	// Without checks of the name the connection works, and the end is said.
	require.Contains(t, of(run(t, at("?ssl_mode=REQUIRED"), patient), "source nova", "tls"), "warning: ")
}

func TestMemcachedAndZooKeeperTLS(t *testing.T) {
	t.Parallel()
	trusted, other := testserver.NewAuthority(t), testserver.NewAuthority(t)
	client, own := trusted.Issue("client"), trusted.Issue("127.0.0.1")
	section := func(ca string) string {
		return ", tls: {ca_file: " + ca + ", cert_file: " + client.CertFile + ", key_file: " + client.KeyFile + "}"
	}
	mc := testserver.MemcachedTLS(t, trusted, own).TLSAddr()
	const given = "members: {compute: [c1]}"
	require.Contains(t, of(run(t, mcSource(mc, section(trusted.File), given), patient), "source mc", "tls"), endsSoon)
	require.Contains(t, of(run(t, mcSource(mc, section(other.File), given), patient), "source mc", "server"), "unknown authority")

	zk := testserver.ZooKeeperTLS(t, trusted, own).TLSAddr()
	// Handshakes take long on a busy machine.
	lines := run(t, strings.Replace(zkSource(zk, section(trusted.File)), "session_timeout: 1s", "session_timeout: 1m", 1), patient)
	require.Contains(t, of(lines, "source zk", "tls"), endsSoon)
	require.Contains(t, of(lines, "source zk", "server"), "ok: ZooKeeper 3.")
	require.Contains(t, of(lines, "source zk", "login"), "connected as the owner of the client certificate")
	require.Contains(t, of(run(t, zkSource(zk, section(other.File)), patient), "source zk", "server"), "unknown authority")
}

func TestPostgreSQLTLS(t *testing.T) {
	t.Parallel()
	trusted, other := testserver.NewAuthority(t), testserver.NewAuthority(t)
	server := testserver.PostgreSQL(t)
	db := server.Open(t, "nova")
	execute(t, db, table+"CREATE ROLE reader LOGIN; GRANT SELECT ON services TO reader")
	at := func(parameters string) string {
		return novaSource("postgresql://reader@" + server.Addr() + "/nova?" + parameters)
	}
	full := "sslmode=verify-full&sslrootcert="
	require.Contains(t, of(run(t, at(full+trusted.File), patient), "source nova", "read"), "refused TLS")
	certificate := trusted.Issue("127.0.0.1")
	server.EnableTLS(trusted, certificate)
	require.Contains(t, of(run(t, at(full+trusted.File), patient), "source nova", "tls"),
		"warning: the connection to "+server.Addr()+" uses TLS 1.3; the server's certificate ends on ")
	require.Contains(t, of(run(t, at(full+trusted.File), patient), "source nova", "tls"), endsSoon)
	require.Contains(t, of(run(t, at("sslmode=require"), patient), "source nova", "tls"), endsSoon)
	require.Contains(t, of(run(t, at("sslmode=disable"), patient), "source nova", "tls"), "is not encrypted")
	lines := run(t, at(full+other.File), patient)
	require.Contains(t, of(lines, "source nova", "read"), "failure: can't be read (connect): ")
	require.Contains(t, of(lines, "source nova", "read"), "unknown authority")
	requireRemedies(t, lines)

	server.EnableTLS(trusted, trusted.IssueExpired("127.0.0.1"))
	testserver.Eventually(t, func() bool {
		return strings.Contains(of(run(t, at(full+trusted.File), patient), "source nova", "read"), "expired")
	}, patient, 20*time.Millisecond, "the server shows its new certificate")
	require.Contains(t, of(run(t, at("sslmode=require"), patient), "source nova", "tls"), "warning: ")
}
