package db

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// A customServer is a database server with its quoting of names.
type customServer struct {
	quote string
	open  func(t *testing.T, database string) (db *sql.DB, dsn string)
}

func (s customServer) name(name string) string {
	return s.quote + strings.ReplaceAll(name, s.quote, s.quote+s.quote) + s.quote
}

func customServers(t *testing.T) map[string]customServer {
	t.Helper()
	onServer := func(server dbServer) func(*testing.T, string) (*sql.DB, string) {
		return func(t *testing.T, database string) (*sql.DB, string) {
			return server.Open(t, database), server.DSN(database)
		}
	}
	return map[string]customServer{
		"MariaDB":    {"`", onServer(testserver.MariaDB(t, "--default-time-zone=+02:00"))},
		"PostgreSQL": {`"`, onServer(testserver.PostgreSQL(t, "-c", "timezone=Asia/Kathmandu"))},
		"SQLite": {`"`, func(t *testing.T, database string) (*sql.DB, string) {
			path := filepath.Join(t.TempDir(), database)
			db, err := sql.Open("sqlite", path)
			require.NoError(t, err)
			t.Cleanup(func() { db.Close() })
			return db, "sqlite:///" + path
		}},
	}
}

func TestCustom(t *testing.T) {
	t.Parallel()
	for name, server := range customServers(t) {
		t.Run(name, func(t *testing.T) {
			t.Run("everything", func(t *testing.T) { testCustomEverything(t, server) })
			t.Run("least", func(t *testing.T) { testCustomLeast(t, server) })
			t.Run("numbers", func(t *testing.T) { testCustomNumbers(t, server) })
			t.Run("deleted", func(t *testing.T) { testCustomDeleted(t, server) })
			t.Run("missing", func(t *testing.T) { testCustomMissing(t, server) })
		})
	}
}

// run executes a statement without translating it.
func run(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	_, err := db.ExecContext(t.Context(), statement)
	require.NoError(t, err, statement)
}

func customConfig(dsn string, c Custom) Config {
	cfg := config(dsn)
	cfg.Schema, cfg.Custom = custom, &c
	return cfg
}

// since returns the SQL of a time some duration ago.
func since(age time.Duration) string {
	return "'" + time.Now().UTC().Add(-age).Format("2006-01-02 15:04:05.000000") + "'"
}

// All columns are read, with names that would end the statement, or drop a table, if they were not quoted.
func testCustomEverything(t *testing.T, s customServer) {
	db, dsn := s.open(t, "everything")
	names := map[string]string{}
	for i, field := range []string{
		"table", "group", "name", "binary", "zone", "reason", "version", "uuid", "beat", "made", "deleted", "enabled", "forced", "count",
	} {
		names[field] = []string{
			"`; DROP TABLE victim; -- ", `"; DROP TABLE victim; -- `, `') /* `, "what? $1 ", `back\slash `, "Füße %s ", "key",
		}[i%7] + field
	}
	q := func(field string) string { return s.name(names[field]) }
	run(t, db, "CREATE TABLE victim (id INT)")
	run(t, db, fmt.Sprintf(`CREATE TABLE %s (%s VARCHAR(40), %s VARCHAR(40), %s VARCHAR(40), %s VARCHAR(40), %s VARCHAR(40), %s INT,
		%s VARCHAR(40), %s TIMESTAMP NULL, %s TIMESTAMP NULL, %s INT, %s INT, %s INT, %s INT)`, q("table"), q("group"), q("name"), q("binary"),
		q("zone"), q("reason"), q("version"), q("uuid"), q("beat"), q("made"), q("deleted"), q("enabled"), q("forced"), q("count")))
	insert := func(name, beat, made, deleted, enabled, forced string) {
		run(t, db, fmt.Sprintf("INSERT INTO %s VALUES ('web', %s, 'nginx', 'az', 'why', 7, 'id', %s, %s, %s, %s, %s, 41)",
			q("table"), name, beat, made, deleted, enabled, forced))
	}
	if s.quote == "`" {
		db.SetMaxOpenConns(1)
		run(t, db, "SET time_zone = '+00:00'") // The test writes its TIMESTAMPs in UTC.
	}
	insert("'one'", since(fresh), since(ancient), "0", "1", "0")
	insert("'two'", since(ancient), since(fresh), "0", "0", "NULL")
	insert("'three'", "NULL", since(fresh), "0", "NULL", "0")
	insert("'four'", since(fresh), since(fresh), "0", "1", "1")
	insert("'five'", since(fresh), since(fresh), "5", "1", "0")
	insert("NULL", since(fresh), since(fresh), "0", "1", "0")
	p := poll(t, open(t, customConfig(dsn, Custom{
		Table: names["table"], Group: names["group"], Name: names["name"], Binary: names["binary"], Zone: names["zone"],
		DisabledReason: names["reason"], Version: names["version"], UUID: names["uuid"],
		Heartbeat: []string{names["beat"], names["made"]}, Deleted: names["deleted"], DeletedKind: "number",
		Enabled: names["enabled"], ForcedDown: names["forced"], ReportCount: names["count"],
	})))
	got := map[string]drivers.Member{}
	for _, m := range p.Members {
		require.WithinDuration(t, p.Now, m.LastHeartbeat, 2*time.Hour)
		m.LastHeartbeat = time.Time{}
		got[m.Name] = m
	}
	want := drivers.Member{
		Group: "web", Binary: "nginx", Zone: "az", Rostered: true, UUID: "id", Version: "7", DisabledReason: "why",
		ReportCount: 41, HasReportCount: true,
	}
	member := func(name string, up bool, enabled, forced drivers.Flag) drivers.Member {
		m := want
		m.Name, m.Up, m.Enabled, m.ForcedDown = name, up, enabled, forced
		return m
	}
	require.Equal(t, map[string]drivers.Member{
		"one":   member("one", true, drivers.FlagYes, drivers.FlagNo),
		"two":   member("two", false, drivers.FlagNo, drivers.FlagNo),
		"three": member("three", true, drivers.FlagNo, drivers.FlagNo),
		"four":  member("four", false, drivers.FlagYes, drivers.FlagYes),
	}, got)
	require.Empty(t, p.Rejected)
	require.Zero(t, count(t, db, "victim"))
}

// A table's name and two columns are enough.
func testCustomLeast(t *testing.T, s customServer) {
	db, dsn := s.open(t, "least")
	run(t, db, "CREATE TABLE workers (host VARCHAR(40), seen TIMESTAMP NULL)")
	if s.quote == "`" {
		db.SetMaxOpenConns(1)
		run(t, db, "SET time_zone = '+00:00'")
	}
	run(t, db, "INSERT INTO workers VALUES ('one', "+since(fresh)+"), ('two', "+since(ancient)+"), ('three', NULL), ('later', "+since(-ancient)+")")
	c := Custom{Table: "workers", GroupName: "pool", Name: "host", Heartbeat: []string{"seen"}}
	states := func() map[string]bool {
		p := poll(t, open(t, customConfig(dsn, c)))
		require.Equal(t, []drivers.Rejection{{Group: "pool", Name: "three", Reason: "data"}}, p.Rejected)
		up := map[string]bool{}
		for _, m := range p.Members {
			require.Equal(t, "pool", m.Group)
			require.Equal(t, drivers.FlagNone, m.Enabled)
			require.Equal(t, drivers.FlagNone, m.ForcedDown)
			up[m.Name] = m.Up
		}
		return up
	}
	require.Equal(t, map[string]bool{"one": true, "two": false, "later": false}, states())
	c.FutureHeartbeats = "up"
	require.Equal(t, map[string]bool{"one": true, "two": false, "later": true}, states())
}

// Heartbeats may be numbers of seconds or milliseconds, with or without a fraction.
func testCustomNumbers(t *testing.T, s customServer) {
	db, dsn := s.open(t, "numbers")
	run(t, db, "CREATE TABLE beats (name VARCHAR(40), s INT, f DOUBLE PRECISION, ms BIGINT)")
	now := time.Now()
	for name, age := range map[string]time.Duration{"one": fresh, "two": ancient} {
		at := now.Add(-age)
		run(t, db, fmt.Sprintf("INSERT INTO beats VALUES ('%s', %d, %d.25, %d)", name, at.Unix(), at.Unix(), at.UnixMilli()))
	}
	run(t, db, "INSERT INTO beats VALUES ('huge', NULL, 1e300, 9223372036854775807)")
	for column, unit := range map[string]string{"s": "seconds", "f": "seconds", "ms": "milliseconds"} {
		p := poll(t, open(t, customConfig(dsn, Custom{
			Table: "beats", GroupName: "g", Name: "name", Heartbeat: []string{column}, HeartbeatUnit: unit,
		})))
		up := map[string]bool{}
		for _, m := range p.Members {
			if m.Name != "huge" {
				up[m.Name] = m.Up
				require.WithinDuration(t, now.Add(-map[bool]time.Duration{true: fresh, false: ancient}[m.Up]), m.LastHeartbeat, time.Second)
			} else {
				require.False(t, m.Up)
			}
		}
		require.Equal(t, map[string]bool{"one": true, "two": false}, up, column)
	}
}

// Rows that are marked as deleted in one of the three ways are left out.
func testCustomDeleted(t *testing.T, s customServer) {
	db, dsn := s.open(t, "deleted")
	run(t, db, "CREATE TABLE m (name VARCHAR(40), seen TIMESTAMP NULL, flag BOOLEAN, number INT, at TIMESTAMP NULL)")
	for name, values := range map[string]string{
		"live": "FALSE, 0, NULL", "flagged": "TRUE, 0, NULL", "unflagged": "NULL, 0, NULL", "numbered": "FALSE, -1, NULL",
		"timed": "FALSE, 0, " + since(fresh),
	} {
		run(t, db, "INSERT INTO m VALUES ('"+name+"', "+since(fresh)+", "+values+")")
	}
	for kind, want := range map[string][]string{
		"":       {"live", "numbered", "timed"},
		"flag":   {"live", "numbered", "timed"},
		"number": {"live", "flagged", "unflagged", "timed"},
		"time":   {"live", "flagged", "unflagged", "numbered"},
	} {
		column := map[string]string{"": "flag", "flag": "flag", "number": "number", "time": "at"}[kind]
		var names []string
		for _, m := range poll(t, open(t, customConfig(dsn, Custom{
			Table: "m", GroupName: "g", Name: "name", Heartbeat: []string{"seen"}, Deleted: column, DeletedKind: kind,
			Disabled: "number",
		}))).Members {
			names = append(names, m.Name)
			require.Equal(t, drivers.FlagOf(m.Name != "numbered"), m.Enabled)
		}
		require.ElementsMatch(t, want, names, kind)
	}
}

// If the database lacks a configured column, the poll fails with an error that says so.
func testCustomMissing(t *testing.T, s customServer) {
	db, dsn := s.open(t, "missing")
	run(t, db, "CREATE TABLE m (name VARCHAR(40), seen TIMESTAMP NULL)")
	good := Custom{Table: "m", GroupName: "g", Name: "name", Heartbeat: []string{"seen"}}
	poll(t, open(t, customConfig(dsn, good)))
	for _, spoil := range []func(*Custom){
		func(c *Custom) { c.Table = "nowhere" },
		func(c *Custom) { c.Heartbeat = []string{"seen", "nowhere"} },
		func(c *Custom) { c.Zone = "nowhere" },
		func(c *Custom) { c.ForcedDown = "nowhere" },
		func(c *Custom) { c.Version = "nowhere" },
	} {
		c := good
		spoil(&c)
		_, err := open(t, customConfig(dsn, c)).Members(t.Context())
		require.ErrorIs(t, err, drivers.ErrUnavailable)
		require.Equal(t, drivers.ReasonSchema, drivers.ReasonOf(err), err)
		require.ErrorContains(t, err, "nowhere")
	}
}

// The setting decides whether a heartbeat that is exactly service_down_time old counts.
func TestCustomLimit(t *testing.T) {
	t.Parallel()
	server := testserver.MariaDB(t)
	db := table(t, server, "limits")
	exec(t, db, "CREATE TABLE m (name VARCHAR(40), seen DATETIME(6), off BIT(1)); INSERT INTO m VALUES ('one', '2026-11-22 15:52:40.945826', b'1')")
	for limit, want := range map[string]bool{"": true, "inclusive": true, "exclusive": false} {
		p := poll(t, open(t, customConfig(at(server, "limits", instant), Custom{
			Table: "m", GroupName: "g", Name: "name", Heartbeat: []string{"seen"}, Boundary: limit, Disabled: "off",
		})))
		require.Equal(t, want, p.Members[0].Up, limit)
		require.Equal(t, drivers.FlagNo, p.Members[0].Enabled, "a bit is a flag too")
	}
}

func TestValidateCustom(t *testing.T) {
	cfg := config("mysql://u@h/d")
	for _, test := range []struct {
		schema string
		rule   Verdict
		custom *Custom
		want   string
	}{
		{"custom", "", &Custom{Table: "t", Group: "g", Name: "n", Heartbeat: []string{"h"}}, ""},
		{"custom", "computed", &Custom{Table: "t", GroupName: "g", Name: "n", Heartbeat: []string{"h"}}, ""},
		{"designate", "stored", nil, ""},
		{"custom", "", nil, `custom: is missing: schema "custom" needs the description of the table`},
		{"nova", "", &Custom{}, `custom: has an effect only for schema "custom"`},
		{"cinder", "stored", nil, "verdict: schema cinder has no stored state"},
		{"manila", "guessed", nil, `verdict: "guessed" is not one of computed, stored`},
		{"custom", "", &Custom{}, `custom.table: is missing
custom.name: is missing: which column has the members' names?
custom.heartbeat: is missing: which columns have the time of the last heartbeat?
custom.group: set exactly one of group (a column) and group_name (the name of the only group)`},
		{"custom", "", &Custom{
			Table: "t\x00", Group: "g", GroupName: "h", Name: strings.Repeat("n", 256), Heartbeat: []string{"", "h\xff"},
			HeartbeatUnit: "minutes", DeletedKind: "gone", FutureHeartbeats: "bright", Boundary: "sky", Enabled: "a", Disabled: "b",
		}, `custom.table: "t\x00" is not a name: it must be UTF-8 text of at most 255 bytes without a zero byte
custom.name: "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"… is not a name: it must be UTF-8 text of at most 255 bytes without a zero byte
custom.heartbeat[0]: is empty
custom.heartbeat[1]: "h\xff" is not a name: it must be UTF-8 text of at most 255 bytes without a zero byte
custom.heartbeat_unit: "minutes" is not one of time, seconds, milliseconds
custom.deleted_kind: "gone" is not one of flag, number, time
custom.future_heartbeats: "bright" is not one of down, up
custom.boundary: "sky" is not one of inclusive, exclusive
custom.group: set exactly one of group (a column) and group_name (the name of the only group)
custom.enabled: is the opposite of disabled: set only one of the two
custom.deleted_kind: has no effect without deleted, which names the column`},
	} {
		cfg.Schema, cfg.Verdict, cfg.Custom = test.schema, test.rule, test.custom
		err := cfg.Validate()
		if test.want == "" {
			require.NoError(t, err)
			continue
		}
		require.EqualError(t, err, test.want)
	}
}
