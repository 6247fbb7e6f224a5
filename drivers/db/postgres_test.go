package db

import (
	"database/sql"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// The same rows give the same members as on MariaDB, in every time zone of the server.
func TestPostgresMembers(t *testing.T) {
	t.Parallel()
	server := testserver.PostgreSQL(t, "-c", "timezone=Asia/Kathmandu")
	for name, test := range map[string]func(*testing.T, dbServer){
		"real rows":       testRealRows,
		"awkward":         testSpecialRows,
		"threshold":       testThreshold,
		"releases":        testReleases,
		"duplicates":      testDuplicates,
		"empty":           testEmptyTable,
		"upgrade":         testUpgrade,
		"one query":       testOneQuery,
		"odd times":       testPostgresTimes,
		"leaves no trace": testKeepsSettings,
	} {
		t.Run(name, func(t *testing.T) { test(t, server) })
	}
}

func isPostgres(db *sql.DB) bool {
	_, ok := db.Driver().(*stdlib.Driver)
	return ok
}

// postgresClock defines a clock that tests can set, which replaces PostgreSQL's own through the search path, and a cast that
// allows 0 and 1 for booleans, as in MariaDB.
const postgresClock = `CREATE SCHEMA fake;
	CREATE FUNCTION fake.statement_timestamp() RETURNS timestamptz STABLE LANGUAGE sql
		AS $$ SELECT CAST(current_setting('fake.now') AS timestamptz) $$;
	UPDATE pg_cast SET castcontext = 'a' WHERE castsource = CAST('int4' AS regtype) AND casttarget = CAST('bool' AS regtype)`

// atPostgres returns a DSN whose sessions see one fixed time.
func atPostgres(dsn string, now time.Time) string {
	return dsn + "?search_path=fake,pg_catalog,public&options=" + url.QueryEscape("-c fake.now="+now.UTC().Format(time.RFC3339Nano))
}

func zonePostgres(dsn, name string) string {
	if name == "SYSTEM" {
		return dsn
	}
	return dsn + "&timezone=" + url.QueryEscape(name)
}

// toPostgres translates statements for MariaDB into those that SQLAlchemy makes from the same models for PostgreSQL.
func toPostgres(statements string) string {
	for _, r := range []struct{ from, to string }{
		{`(?m)^ENGINE.*$|\) ENGINE=.*`, `)`},
		{"`", `"`},
		{`\\"`, `"`},
		{`int\(11\) NOT NULL AUTO_INCREMENT`, `serial NOT NULL`},
		{`tinyint\(1\) NOT NULL DEFAULT 1`, `boolean NOT NULL DEFAULT true`},
		{`tinyint\(1\)`, `boolean`},
		{`int\(11\)`, `integer`},
		{`datetime(\(6\))?`, `timestamp`},
		{`enum\([^)]*\)`, `varchar(16)`},
		{`UNIQUE KEY "[a-z0-9_]+"`, `UNIQUE`},
		{`(?m)^  KEY .*\n`, ``},
		{`,(\s*\n\))`, `$1`},
	} {
		statements = regexp.MustCompile(r.from).ReplaceAllString(statements, r.to)
	}
	return statements
}

// Times that only PostgreSQL has affect only their own row.
func testPostgresTimes(t *testing.T, server dbServer) {
	db := table(t, server, "odd", zed)
	for name, at := range map[string]string{
		"ever": "'infinity'", "never": "'-infinity'", "late": "'294276-12-31 23:59:59'", "early": "'4713-01-01 BC'",
		"fraction": "'2026-11-22 15:52:40.945826'", "more": "'2026-11-22 15:52:40.945825'",
	} {
		insert(t, db, name, map[string]string{"last_seen_up": at, "created_at": "NULL"})
	}
	p := poll(t, open(t, config(at(server, "odd", instant))))
	for name, want := range map[string]string{
		"ever": "data", "never": "data", "late": "data", "early": "data", "fraction": "up", "more": "down",
	} {
		require.Equal(t, want, verdict(p, name), name)
	}
	require.Equal(t, instant.Add(-time.Minute), find(p, "fraction").LastHeartbeat)
}

// A pooler gives each connection to other clients later: reading must not change its settings.
func testKeepsSettings(t *testing.T, server dbServer) {
	table(t, server, "trace", zed, "rows.sql")
	d := open(t, config(server.DSN("trace")))
	poll(t, d)
	var limit, readOnly string
	var prepared int
	require.NoError(t, d.database.(*postgresDatabase).db().QueryRowContext(t.Context(), `SELECT current_setting('statement_timeout'),
		current_setting('transaction_read_only'), (SELECT count(*) FROM pg_prepared_statements)`).Scan(&limit, &readOnly, &prepared))
	require.Equal(t, "0", limit)
	require.Equal(t, "off", readOnly)
	require.Zero(t, prepared)

	// The transaction can't write.
	cfg := config(server.DSN("trace"))
	cfg.Schema, cfg.Custom = custom, &Custom{
		Table: "touched", GroupName: "g", Name: "host", Heartbeat: []string{"created_at"},
	}
	db := server.Open(t, "trace")
	exec(t, db, `CREATE FUNCTION touch() RETURNS text VOLATILE LANGUAGE sql AS $$
		UPDATE services SET report_count = 0 RETURNING CAST(host AS text) $$;
		CREATE VIEW touched AS SELECT touch() AS host, created_at FROM services`)
	_, err := open(t, cfg).Members(t.Context())
	require.ErrorContains(t, err, "read-only transaction")
	require.Zero(t, count(t, db, "services WHERE report_count = 0 AND last_seen_up IS NOT NULL"))
}

// The error and its reason say why a database can't be read.
func TestPostgresRefusals(t *testing.T) {
	t.Parallel()
	server := testserver.PostgreSQL(t)
	db := table(t, server, "nova", zed, "rows.sql")
	server.Open(t, "bare")
	exec(t, server.Open(t, "other"), "CREATE TABLE services (name text, deleted integer)")
	exec(t, db, `CREATE ROLE reader LOGIN PASSWORD 'open sesame'; GRANT SELECT ON services TO reader;
		CREATE ROLE stranger LOGIN; CREATE ROLE nobody NOLOGIN`)
	address := server.Addr()
	for dsn, want := range map[string]struct {
		reason drivers.Reason // empty: no error
		text   string         // in the error
	}{
		"postgresql+psycopg2://reader:open%20sesame@" + address + "/nova":                             {"", ""},
		"postgres://reader@" + address + "/nova?sslmode=disable":                                      {"", ""},
		"host=127.0.0.1 port=" + address[strings.Index(address, ":")+1:] + " user=reader dbname=nova": {"", ""},
		"postgresql://stranger@" + address + "/nova":                                                  {drivers.ReasonAuth, "GRANT SELECT"},
		"postgresql://missing@" + address + "/nova":                                                   {drivers.ReasonAuth, "check user"},
		"postgresql://nobody@" + address + "/nova":                                                    {drivers.ReasonAuth, "check user"},
		"postgresql://postgres@" + address + "/bare":                                                  {drivers.ReasonSchema, "is this the right database?"},
		"postgresql://postgres@" + address + "/other":                                                 {drivers.ReasonSchema, "not laid out as the schema says"},
		"postgresql://postgres@" + address + "/missing":                                               {drivers.ReasonSchema, "check the database's name"},
		"postgresql://postgres@127.0.0.1:1/nova":                                                      {drivers.ReasonConnect, "connection refused"},
		"postgresql://postgres@host.invalid/nova":                                                     {drivers.ReasonConnect, "host.invalid"},
		"postgresql://postgres@/nova?host=/does/not/exist":                                            {drivers.ReasonConnect, "/does/not/exist/nova"},
		"postgresql://postgres@" + address + "/nova?sslmode=verify-full":                              {drivers.ReasonConnect, "TLS"},
	} {
		p, err := open(t, config(dsn)).Members(t.Context())
		if want.reason == "" {
			require.NoError(t, err, dsn)
			require.Len(t, p.Members, 12)
			continue
		}
		require.ErrorIs(t, err, drivers.ErrUnavailable, dsn)
		require.Equal(t, want.reason, drivers.ReasonOf(err), "%s: %v", dsn, err)
		require.ErrorContains(t, err, want.text, dsn)
	}
	// With an account that may not write, Join returns an error that says so.
	_, err := open(t, config("postgresql://reader@"+address+"/nova")).Join(t.Context(), drivers.JoinRequest{Group: "compute", Name: "one"})
	require.Equal(t, drivers.ReasonAuth, drivers.ReasonOf(err), err)
}

// The findings about an account name its privileges on a table whose name needs quotes, too.
func TestPostgresLogin(t *testing.T) {
	t.Parallel()
	server := testserver.PostgreSQL(t)
	run(t, server.Open(t, "own"), `CREATE TABLE "Heart beats" (name text, beat timestamp); CREATE ROLE writer LOGIN;
		GRANT SELECT, UPDATE ON "Heart beats" TO writer`)
	cfg := customConfig("postgresql://writer@"+server.Addr()+"/own", Custom{
		Table: "Heart beats", GroupName: "all", Name: "name", Heartbeat: []string{"beat"},
	})
	d := open(t, cfg)
	poll(t, d)
	findings := d.Inspect(t.Context())
	i := slices.IndexFunc(findings, func(f drivers.Finding) bool { return f.Subject == "login" })
	require.GreaterOrEqual(t, i, 0, findings)
	require.Equal(t, drivers.Warning("login", "logged in as writer, which may do more than reading needs: UPDATE on Heart beats",
		`give the exporter a role of its own: CREATE ROLE exporter LOGIN PASSWORD '…'; GRANT SELECT ON "Heart beats" TO exporter`), findings[i])
}

// The error about a wrong password does not show it. The setting password replaces the DSN's.
func TestPostgresPassword(t *testing.T) {
	t.Parallel()
	server := testserver.PostgreSQL(t)
	db := table(t, server, "nova", zed)
	exec(t, db, `CREATE ROLE reader LOGIN PASSWORD 'open sesame'; GRANT SELECT ON services TO reader`)
	var file string
	require.NoError(t, db.QueryRowContext(t.Context(), "SHOW hba_file").Scan(&file))
	exec(t, db, `COPY (SELECT 'host all postgres 127.0.0.1/32 trust' UNION ALL SELECT 'host all all 127.0.0.1/32 scram-sha-256'
		ORDER BY 1 DESC) TO '`+file+`'; SELECT pg_reload_conf()`)
	cfg := config("postgresql+asyncpg://reader:abracadabra@" + server.Addr() + "/nova")
	testserver.Eventually(t, func() bool {
		_, err := open(t, cfg).Members(t.Context())
		if err == nil {
			return false // The server does not use the new rules yet.
		}
		require.Equal(t, drivers.ReasonAuth, drivers.ReasonOf(err), err)
		require.NotContains(t, err.Error(), "abracadabra")
		return true
	}, time.Minute, 50*time.Millisecond, "the password is refused")
	cfg.Password = drivers.SecretText("open sesame")
	poll(t, open(t, cfg))
}

func TestConformancePostgres(t *testing.T) {
	t.Parallel()
	server := testserver.PostgreSQL(t, "-c", "timezone=America/Caracas")
	table(t, server, "nova", zed)
	conform(t, server.DSN("nova"), 2*time.Second, 100*time.Millisecond, server)
}

// While a server is stopped or hangs, polls fail in time and leave no goroutines behind; later polls succeed again.
func TestPostgresOutages(t *testing.T) {
	t.Parallel()
	server := testserver.PostgreSQL(t)
	table(t, server, "nova", zed, "rows.sql")
	d := open(t, patient(server.DSN("nova")))
	poll(t, d)
	for _, outage := range []struct {
		name       string
		begin, end func()
		reason     drivers.Reason
	}{
		{"stopped", server.Stop, server.Start, drivers.ReasonConnect},
		{"frozen", server.Freeze, server.Thaw, drivers.ReasonTimeout},
	} {
		t.Run(outage.name, func(t *testing.T) {
			outage.begin()
			for range 20 {
				_, err := d.Members(short(t, 100*time.Millisecond))
				require.ErrorIs(t, err, drivers.ErrUnavailable)
			}
			_, err := d.Members(short(t, time.Second))
			require.Equal(t, outage.reason, drivers.ReasonOf(err), err)
			outage.end()
			require.Eventually(t, func() bool {
				p, err := d.Members(t.Context())
				return err == nil && len(p.Members) == 12
			}, time.Minute, 50*time.Millisecond)
			testserver.Eventually(t, func() bool {
				db := server.Open(t, "nova")
				return count(t, db, "pg_stat_activity WHERE application_name = 'servicegroup_exporter'") <= maxConnections
			}, time.Minute, 200*time.Millisecond, "few connections are open")
		})
	}
}

// The server itself ends a query that takes too long, even if the client is gone.
func TestPostgresServerSideLimit(t *testing.T) {
	t.Parallel()
	server := testserver.PostgreSQL(t)
	db := table(t, server, "nova", zed, "rows.sql")
	exec(t, db, `ALTER TABLE services RENAME TO hosts; CREATE VIEW services AS SELECT h.* FROM hosts h, pg_sleep(600)`)
	s := open(t, config(server.DSN("nova"))).database
	pool, err := s.reader(t.Context())
	require.NoError(t, err)
	conn, err := pool.Conn(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	err = s.query(t.Context(), conn, 300*time.Millisecond, "* FROM services", func(*sql.Rows) error { return nil })
	reason, _ := s.classify(err)
	require.Equal(t, drivers.ReasonTimeout, reason, err)
	require.ErrorContains(t, err, "statement timeout")
}
