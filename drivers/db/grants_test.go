package db

import (
	"database/sql"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// documentedGrants returns the columns that the documentation lists, by schema and rule.
func documentedGrants(t *testing.T) map[string]map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/db.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(text), "\n## Privileges\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	all := map[string]map[string][]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z]+)`(, stored)? \\| (.*) \\|$").FindAllStringSubmatch(section, -1) {
		tables := map[string][]string{}
		for _, table := range regexp.MustCompile("`([a-z_]+) \\(([a-z_, ]+)\\)`").FindAllStringSubmatch(row[3], -1) {
			tables[table[1]] = strings.Split(table[2], ", ")
		}
		all[strings.ReplaceAll(row[1]+row[2], ", ", "_")] = tables
	}
	return all
}

// The documentation lists exactly the grants that the code needs for the newest release.
func TestDocumentedGrants(t *testing.T) {
	documented := documentedGrants(t)
	for name, make := range schemas() {
		for suffix, kind := range map[string]Verdict{"": VerdictComputed, "_stored": VerdictStored} {
			s := make()
			if len(s.rulesFor(kind)) == 0 {
				continue
			}
			columns := columnSet(slices.Concat(s.needed(kind), []string{s.forcedDown}, s.informative()))
			if s.zones.table != "" {
				columns = columnSet(append(columns, s.zone))
			}
			require.Equal(t, columns, documented[name+suffix][s.table], name+suffix)
		}
	}
}

// With the documented grants every schema can be read. If one is missing, the error names it.
func TestGrants(t *testing.T) {
	clearEnvironment(t)
	documented := documentedGrants(t)
	for name, server := range map[string]func() dbServer{
		"MariaDB":    func() dbServer { return testserver.MariaDB(t) },
		"PostgreSQL": func() dbServer { return testserver.PostgreSQL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			server := server()
			for _, test := range append(schemaTests(instant), novaTest()) {
				t.Run(test.name(), func(t *testing.T) {
					db := table(t, server, test.name(), test.file())
					test.fill(t, db)
					a := account{db, "reader_" + test.name()}
					a.make(t)
					require.NotEmpty(t, documented[test.name()])
					for table, columns := range documented[test.name()] {
						a.grant(t, table, existing(t, db, table, columns)...)
					}
					dsn := regexp.MustCompile("(root|postgres)@").ReplaceAllString(at(server, test.name(), instant), a.name+"@")
					test.check(t, dsn)
					test.checkMissing(t, &a, dsn, existing(t, db, test.table, documented[test.name()][test.table]))
				})
			}
		})
	}
}

// novaTest is Nova's own table, for which other tests have more cases.
func novaTest() schemaTest {
	return schemaTest{
		schema: "nova", table: "services", setup: "",
		row: columns{
			"host": "'NAME'", "`binary`": "'nova-compute'", "topic": "'compute'", "report_count": "7", "disabled": "0",
			"deleted": "0", "created_at": ago(ancient), "last_seen_up": ago(ancient), "forced_down": "0", "version": "66",
			"uuid": "'NAME'",
		},
		cases: map[string]schemaCase{
			"live": {columns{"last_seen_up": ago(fresh)}, "up"},
			"dead": {columns{}, "down"},
		},
		live: drivers.Member{
			Group: "compute", Binary: "nova-compute", Enabled: drivers.FlagYes, ForcedDown: drivers.FlagNo, Version: "66", UUID: "live",
			ReportCount: 7, HasReportCount: true,
		},
	}
}

// file returns the file with the schema's tables.
func (s *schemaTest) file() string {
	if s.schema == "nova" {
		return zed
	}
	return s.schema + ".sql"
}

// checkMissing revokes and restores each grant. Verdicts never change: without a grant that they need the poll fails with an
// error that names it; without another grant the poll succeeds.
func (s *schemaTest) checkMissing(t *testing.T, a *account, dsn string, columns []string) {
	t.Helper()
	schema := schemas()[s.schema]()
	d := open(t, s.config(dsn))
	vital := schema.required(d.cfg.Verdict)
	before := poll(t, d)
	for _, column := range columns {
		a.revoke(t, s.table, column)
		p, err := d.Members(t.Context())
		if slices.Contains(vital, column) {
			require.Equal(t, drivers.ReasonAuth, drivers.ReasonOf(err), "%s: %v", column, err)
			require.ErrorContains(t, err, "GRANT SELECT ("+column+") ON "+s.table)
		} else {
			require.NoError(t, err, column)
			require.Equal(t, verdicts(before), verdicts(p), column)
		}
		a.grant(t, s.table, column)
		poll(t, d)
	}
}

// An account that has lost all grants sees no columns. When it gets them again, the verdicts are the same as before.
func TestAllGrantsReturn(t *testing.T) {
	clearEnvironment(t)
	server, test := testserver.MariaDB(t), novaTest()
	db := table(t, server, test.name(), test.file())
	test.fill(t, db)
	a := account{db, "reader"}
	a.make(t)
	exec(t, db, "GRANT SELECT ON services TO reader")
	d := open(t, test.config(strings.Replace(at(server, test.name(), instant), "root@", "reader@", 1)))
	before := poll(t, d)
	exec(t, db, "REVOKE SELECT ON services FROM reader")
	for range 2 {
		_, err := d.Members(t.Context())
		require.Equal(t, drivers.ReasonAuth, drivers.ReasonOf(err), err)
	}
	exec(t, db, "GRANT SELECT ON services TO reader")
	require.Equal(t, before.Members, poll(t, d).Members)
}

// verdicts returns whether members are up, by name.
func verdicts(p *drivers.Poll) map[string]bool {
	all := map[string]bool{}
	for i := range p.Members {
		all[p.Members[i].Name] = p.Members[i].Up
	}
	return all
}

// existing returns those columns that the table has, which may be of an older release than the documentation.
func existing(t *testing.T, db *sql.DB, table string, columns []string) []string {
	t.Helper()
	return slices.DeleteFunc(slices.Clone(columns), func(column string) bool {
		var n int
		query := fmt.Sprintf("SELECT count(*) FROM information_schema.columns WHERE table_name = '%s' AND column_name = '%s'"+
			" AND table_schema NOT IN ('information_schema', 'mysql')", table, column)
		if !isPostgres(db) {
			query += " AND table_schema = DATABASE()"
		}
		require.NoError(t, db.QueryRowContext(t.Context(), query).Scan(&n))
		return n == 0
	})
}

// An account is a database user that gets grants on single columns.
type account struct {
	db   *sql.DB
	name string
}

func (a *account) make(t *testing.T) {
	t.Helper()
	if isPostgres(a.db) {
		exec(t, a.db, "CREATE ROLE "+a.name+" LOGIN; GRANT USAGE ON SCHEMA fake TO "+a.name) // The schema fake has the tests' clock.
		return
	}
	exec(t, a.db, "CREATE USER "+a.name)
}

func (a *account) grant(t *testing.T, table string, columns ...string) {
	t.Helper()
	exec(t, a.db, fmt.Sprintf("GRANT SELECT (`%s`) ON %s TO %s", strings.Join(columns, "`, `"), table, a.name))
}

func (a *account) revoke(t *testing.T, table, column string) {
	t.Helper()
	exec(t, a.db, fmt.Sprintf("REVOKE SELECT (`%s`) ON %s FROM %s", column, table, a.name))
}

// Members can join, send heartbeats, die and leave with the documented grants.
func TestGrantsOfMembers(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/db.md")
	require.NoError(t, err)
	_, after, found := strings.Cut(string(text), "-- members that join")
	require.True(t, found)
	grants, _, _ := strings.Cut(after, "```")
	server := testserver.MariaDB(t)
	db := table(t, server, "nova", zed)
	exec(t, db, "CREATE USER 'agent'@'%'")
	for statement := range strings.SplitSeq(strings.TrimSpace(grants), ";") {
		if statement != "" {
			exec(t, db, statement)
		}
	}
	d := open(t, quick(strings.Replace(server.DSN("nova"), "root@", "agent@", 1)))
	m := join(t, d, "one")
	other := join(t, d, "two")
	require.Len(t, poll(t, d).Members, 2)
	require.NoError(t, m.Leave(t.Context()))
	require.NoError(t, other.Die(t.Context(), drivers.Death{At: time.Now()}))
	p := poll(t, d)
	require.Len(t, p.Members, 1)
	require.False(t, p.Members[0].Up)
}

// informative returns the columns of labels and texts. A table can be read without them.
func (s *schema) informative() []string {
	columns := []string{s.binary, s.disabledReason, s.version, s.uuid, s.reportCount}
	if s.zones.table == "" {
		columns = append(columns, s.zone)
	}
	return columnSet(columns)
}
