package db

import (
	"database/sql"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// For the service's own table every schema gives the service's own verdicts, in every database.
func TestSchemas(t *testing.T) {
	t.Parallel()
	for name, server := range map[string]func() dbServer{
		"MariaDB":    func() dbServer { return testserver.MariaDB(t, "--default-time-zone=+02:00") },
		"PostgreSQL": func() dbServer { return testserver.PostgreSQL(t, "-c", "timezone=Asia/Kathmandu") },
	} {
		t.Run(name, func(t *testing.T) {
			server := server()
			for _, test := range schemaTests(instant) {
				t.Run(test.name(), func(t *testing.T) {
					db := table(t, server, test.name(), test.schema+".sql")
					test.fill(t, db)
					test.check(t, at(server, test.name(), instant))
				})
			}
			t.Run("thresholds", func(t *testing.T) { testThresholds(t, server) })
			t.Run("manila before 16", func(t *testing.T) { testManilaWithoutState(t, server) })
			t.Run("workers", func(t *testing.T) { testWorkers(t, server) })
			t.Run("other services", func(t *testing.T) { testForeign(t, server) })
		})
	}
}

func TestSchemasSQLite(t *testing.T) {
	for i, test := range schemaTests(time.Now().UTC()) {
		t.Run(test.name(), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "members.db")
			db, err := sql.Open("sqlite", path)
			require.NoError(t, err)
			defer db.Close()
			loadSQLite(t, db, test.schema+".sql")
			// SQLite's clock can't be set, so the ages of the rows begin here, and not before the schemas that come first.
			test = schemaTests(time.Now().UTC())[i]
			test.fill(t, db)
			test.check(t, "sqlite:///"+path)
		})
	}
}

// loadSQLite creates the tables without the syntax that only MariaDB understands.
func loadSQLite(t *testing.T, db *sql.DB, file string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", file))
	require.NoError(t, err)
	text := string(raw)
	for from, to := range map[string]string{
		`\) ENGINE=.*`: `)`, `(?m)^  KEY .*\n`: ``, `UNIQUE KEY .[a-z0-9_]+.`: `UNIQUE`, `enum\([^)]*\)`: `text`,
		`int\(11\) NOT NULL AUTO_INCREMENT`: `integer`,
	} {
		text = regexp.MustCompile(from).ReplaceAllString(text, to)
	}
	exec(t, db, regexp.MustCompile(`,(\s*\n\))`).ReplaceAllString(text, "$1"))
}

// fill inserts the rows, each named after its case.
func (s *schemaTest) fill(t *testing.T, db *sql.DB) {
	t.Helper()
	if s.setup != "" {
		exec(t, db, s.setup)
	}
	id := 0
	for name, c := range s.cases {
		id++
		row := maps.Clone(s.row)
		maps.Copy(row, c.columns)
		for column, value := range row {
			value = strings.ReplaceAll(value, "NAME", name)
			row[column] = strings.ReplaceAll(value, "NUMBER", strconv.Itoa(id))
		}
		insertInto(t, db, s.table, row)
	}
}

// check reads the rows and compares every verdict.
func (s *schemaTest) check(t *testing.T, dsn string) {
	t.Helper()
	p := poll(t, open(t, s.config(dsn)))
	require.Empty(t, p.Problems)
	members := map[string]drivers.Member{}
	for _, m := range p.Members {
		members[m.Name] = m
	}
	got, want := map[string]string{}, map[string]string{}
	for name, c := range s.cases {
		want[name] = c.want
		switch m, found := members[name]; {
		case found && m.Up:
			got[name] = "up"
		case found:
			got[name] = "down"
		default:
			got[name] = "absent"
		}
	}
	for _, r := range p.Rejected {
		got[r.Name] = r.Reason
	}
	require.Equal(t, want, got)
	require.False(t, p.Now.IsZero())

	live := members["live"]
	require.WithinDuration(t, p.Now, live.LastHeartbeat, time.Minute)
	live.LastHeartbeat = time.Time{}
	s.live.Name, s.live.Up, s.live.Rostered = "live", true, true
	require.Equal(t, s.live, live)
	for name, enabled := range s.enabled {
		require.Equal(t, drivers.FlagOf(enabled), members[name].Enabled, name)
	}
	for name, forced := range s.forced {
		require.Equal(t, drivers.FlagOf(forced), members[name].ForcedDown, name)
	}
}

// config returns the configuration of a file without optional settings.
func (s *schemaTest) config(dsn string) Config {
	cfg := unset()
	cfg.DSN, cfg.Schema, cfg.Verdict = drivers.SecretText(dsn), s.schema, s.rule
	cfg.SetDefaults()
	return cfg
}

// The limits are exact to the microsecond, in the past and in the future.
func testThresholds(t *testing.T, server dbServer) {
	const tick = time.Microsecond
	for schema, limit := range map[string]struct {
		age      time.Duration
		oneSided bool
	}{
		"cinder": {60 * time.Second, false}, "manila": {60 * time.Second, false}, "neutron": {75 * time.Second, true},
		"heat": {120 * time.Second, true}, "ironic": {60 * time.Second, true}, "designate": {60 * time.Second, false},
		"magnum": {180 * time.Second, false}, "octavia": {60 * time.Second, true},
	} {
		t.Run(schema, func(t *testing.T) {
			beat := time.Date(2026, 3, 29, 0, 59, 30, 0, time.UTC)
			i := slices.IndexFunc(schemaTests(beat), func(s schemaTest) bool { return s.schema == schema && s.rule != VerdictStored })
			test := schemaTests(beat.Add(fresh))[i]
			test.cases = map[string]schemaCase{"one": test.cases["live"]}
			db := table(t, server, schema+"_limit", schema+".sql")
			test.fill(t, db)
			ages := map[time.Duration]bool{
				0: true, limit.age: true, limit.age + tick: false, -limit.age: true, -limit.age - tick: limit.oneSided,
				-24 * time.Hour: limit.oneSided,
			}
			for age, want := range ages {
				p := poll(t, open(t, test.config(at(server, schema+"_limit", beat.Add(age)))))
				require.Len(t, p.Members, 1)
				require.Equal(t, want, p.Members[0].Up, "%v after the heartbeat", age)
				require.Equal(t, beat, p.Members[0].LastHeartbeat)
			}
		})
	}
}

// Before release 16 Manila's API had no stored state and computed. Without a table of zones, members have no zone.
func testManilaWithoutState(t *testing.T, server dbServer) {
	db := table(t, server, "manila_15", "manila.sql")
	exec(t, db, "ALTER TABLE services DROP CONSTRAINT service_az_id_fk; DROP TABLE availability_zones")
	insert(t, db, "one", map[string]string{"updated_at": ago(fresh), "availability_zone_id": "'5f2a'"})
	insert(t, db, "two", map[string]string{"updated_at": ago(61 * time.Second)})
	cfg := config(at(server, "manila_15", instant))
	cfg.Schema, cfg.Verdict = "manila", VerdictStored
	p := poll(t, open(t, cfg))
	require.Equal(t, "up", verdict(p, "one"))
	require.Equal(t, "down", verdict(p, "two"))
	require.Empty(t, find(p, "one").Zone)
}

// A host of Heat is up while one of its workers is. Rows of dead workers are neither members nor rejected.
func testWorkers(t *testing.T, server dbServer) {
	db := table(t, server, "workers", "heat.sql")
	id := 0
	worker := func(host string, age time.Duration, interval int) {
		id++
		insertInto(t, db, "service", map[string]string{
			"id": fmt.Sprintf("'id-%d'", id), "engine_id": fmt.Sprintf("'engine-%d'", id), "host": "'" + host + "'",
			"hostname": "'" + host + "'", "`binary`": "'heat-engine'", "topic": "'engine'",
			"report_interval": strconv.Itoa(interval), "created_at": ago(time.Hour), "updated_at": ago(age),
		})
	}
	worker("one", time.Hour, 60)
	worker("one", 30*time.Second, 60)
	worker("one", 10*time.Second, 4) // newer, but too old by its own interval
	worker("one", 45*time.Second, 60)
	worker("two", time.Hour, 60)
	worker("two", 3*time.Minute, 60)
	cfg := config(at(server, "workers", instant))
	cfg.Schema = "heat"
	d := open(t, cfg)
	for range 3 {
		p := poll(t, d)
		require.Empty(t, p.Rejected)
		require.Len(t, p.Members, 2)
		for _, m := range p.Members {
			require.Equal(t, "engine", m.Group)
			require.Empty(t, m.UUID)
			want := map[string]time.Duration{"one": 30 * time.Second, "two": 3 * time.Minute}[m.Name]
			require.Equal(t, instant.Add(-want).Truncate(time.Second), m.LastHeartbeat)
			require.Equal(t, m.Name == "one", m.Up)
		}
	}
}

// Only the services themselves insert and delete their rows.
func TestReadOnlySchemas(t *testing.T) {
	for name := range schemas() {
		if name == "nova" {
			continue
		}
		cfg := config("mysql://root@127.0.0.1:1/none")
		cfg.Schema = name
		d := open(t, cfg)
		want := "schema " + name + " is read-only: only the service itself can add and remove members"
		_, err := d.Join(t.Context(), drivers.JoinRequest{Group: "a", Name: "b"})
		require.EqualError(t, err, want)
		require.NotErrorIs(t, err, drivers.ErrUnavailable)
		require.EqualError(t, d.Leave(t.Context(), "a", "b"), want)
	}
}
