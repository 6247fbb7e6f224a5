package check_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// table is Nova's table of services in PostgreSQL, as far as the exporter reads it.
const table = `CREATE TABLE services (id SERIAL PRIMARY KEY, host TEXT, "binary" TEXT, topic TEXT, report_count INT, disabled BOOL,
	disabled_reason TEXT, deleted INT DEFAULT 0, created_at TIMESTAMP, updated_at TIMESTAMP, deleted_at TIMESTAMP, last_seen_up TIMESTAMP,
	forced_down BOOL DEFAULT FALSE, version INT, uuid TEXT);`

func TestPostgreSQL(t *testing.T) {
	t.Parallel()
	server := testserver.PostgreSQL(t)
	db := server.Open(t, "nova")
	execute(t, db, table+`CREATE ROLE reader LOGIN; GRANT SELECT ON services TO reader; CREATE ROLE writer LOGIN CREATEDB;
		GRANT SELECT, UPDATE (host), DELETE ON services TO writer; CREATE ROLE nothing LOGIN`)
	server.Open(t, "empty")
	at := func(user, database string) string {
		return "postgresql://" + user + "@" + server.Addr() + "/" + database + "?sslmode=disable"
	}
	t.Run("cases", func(t *testing.T) {
		for name, test := range map[string]struct{ dsn, subject, says string }{
			"healthy":        {at("reader", "nova"), "login", "ok: logged in as reader, which may only read: SELECT on services"},
			"version":        {at("reader", "nova"), "server", "ok: PostgreSQL 1"},
			"on loopback":    {at("reader", "nova"), "tls", "is not encrypted; it does not leave this machine"},
			"no members":     {at("reader", "nova"), "members", "warning: there are no members"},
			"writes":         {at("writer", "nova"), "login", "warning: logged in as writer, which may do more than reading needs: CREATEDB, UPDATE on services, DELETE on services"},
			"superuser":      {at("postgres", "nova"), "login", "SUPERUSER"},
			"no grant":       {at("nothing", "nova"), "read", "failure: can't be read (auth): "},
			"unknown role":   {at("stranger", "nova"), "read", "failure: can't be read (auth): "},
			"wrong database": {at("reader", "noba"), "read", "failure: can't be read (schema): "},
			"missing table":  {at("reader", "empty"), "read", "failure: can't be read (schema): "},
			"wrong port":     {"postgresql://reader@" + closedPort(t) + "/nova", "read", "failure: can't be read (connect): "},
			"no TLS there":   {"postgresql://reader@" + server.Addr() + "/nova?sslmode=require", "read", "failure: can't be read (connect): "},
			"read-only":      {at("reader", "nova") + "&options=-c%20default_transaction_read_only%3Don", "server", "warning: the server is read-only"},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				lines := run(t, novaSource(test.dsn), patient)
				require.Contains(t, of(lines, "source nova", test.subject), test.says)
				requireRemedies(t, lines)
			})
		}
	})
	t.Run("frozen", func(t *testing.T) {
		server.Freeze()
		defer server.Thaw()
		require.Contains(t, of(run(t, novaSource(at("reader", "nova")), impatient), "source nova", "read"), "failure: can't be read (timeout): ")
	})
}
