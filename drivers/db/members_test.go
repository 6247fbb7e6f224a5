package db

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

func TestMembers(t *testing.T) {
	t.Parallel()
	// The server's time zone must have no effect: Nova's times are in UTC.
	server := testserver.MariaDB(t, "--default-time-zone=+02:00", "--sql-mode=")
	for name, test := range map[string]func(*testing.T, dbServer){
		"real rows":  testRealRows,
		"awkward":    testSpecialRows,
		"zero dates": testZeroDates,
		"threshold":  testThreshold,
		"releases":   testReleases,
		"migrations": testMigrations,
		"duplicates": testDuplicates,
		"empty":      testEmptyTable,
		"upgrade":    testUpgrade,
		"one query":  testOneQuery,
		"autocommit": testAutocommit,
	} {
		t.Run(name, func(t *testing.T) { test(t, server) })
	}
}

func testRealRows(t *testing.T, server dbServer) {
	table(t, server, "dump", zed, "rows.sql")
	p := poll(t, open(t, config(at(server, "dump", instant))))
	require.Empty(t, p.Rejected)
	require.Equal(t, instant, p.Now)
	require.Equal(t, time.Minute, p.DownTime)
	require.Regexp(t, "MariaDB|^PostgreSQL [0-9]", p.Backend)

	states := map[string]bool{}
	for _, m := range p.Members {
		states[m.Group+"/"+m.Name] = m.Up
	}
	require.Equal(t, map[string]bool{
		"scheduler/controller-01": true, "conductor/controller-01": true,
		"compute/compute-01": true, "compute/compute-02": true, "compute/compute-03": true, "compute/compute-04": true,
		"compute/compute-07": true, "compute/compute-08": true, "compute/compute-10": true,
		"compute/compute-05": false, // forced down
		"compute/compute-06": false, // disabled, and dead
		"compute/compute-09": false, // dead
	}, states)
	require.Equal(t, drivers.Member{
		Group: "compute", Name: "compute-04", Binary: "nova-compute", Up: true, Rostered: true,
		LastHeartbeat: time.Date(2026, 11, 22, 15, 53, 34, 0, time.UTC),
		Enabled:       drivers.FlagNo, ForcedDown: drivers.FlagNo,
		UUID: "ce3d0a77-cfee-481f-b229-ab9cea373468", Version: "64", DisabledReason: `maintenance: "rack 7" é`,
		ReportCount: 12, HasReportCount: true,
	}, *find(p, "compute-04"))
}

// The test has every kind of row that Nova's code distinguishes, and some that Nova never writes.
func testSpecialRows(t *testing.T, server dbServer) {
	fresh, old := ago(5*time.Second), ago(70*time.Second)
	rows := map[string]struct {
		columns map[string]string
		want    string
	}{
		"live":                 {map[string]string{"last_seen_up": fresh}, "up"},
		"dead":                 {map[string]string{"last_seen_up": old}, "down"},
		"forced":               {map[string]string{"last_seen_up": fresh, "forced_down": "1"}, "down"},
		"forced-null":          {map[string]string{"last_seen_up": fresh, "forced_down": "NULL"}, "up"},
		"disabled":             {map[string]string{"last_seen_up": fresh, "disabled": "1"}, "up"},
		"disabled-null":        {map[string]string{"last_seen_up": fresh, "disabled": "NULL"}, "up"},
		"disabled-dead":        {map[string]string{"last_seen_up": old, "updated_at": fresh, "disabled": "1"}, "down"},
		"deleted":              {map[string]string{"last_seen_up": fresh, "deleted": "77"}, "absent"},
		"deleted-null":         {map[string]string{"last_seen_up": fresh, "deleted": "NULL"}, "absent"},
		"never-new":            {map[string]string{"created_at": fresh, "report_count": "0"}, "up"},
		"never-old":            {map[string]string{"created_at": old, "report_count": "0"}, "down"},
		"never-but-touched":    {map[string]string{"updated_at": fresh}, "down"},
		"reset":                {map[string]string{"last_seen_up": "NULL", "created_at": fresh, "report_count": "9"}, "up"},
		"future":               {map[string]string{"last_seen_up": ago(-50 * time.Second)}, "up"},
		"far-future":           {map[string]string{"last_seen_up": ago(-70 * time.Second)}, "down"},
		"ancient":              {map[string]string{"last_seen_up": "'1970-01-01 00:00:00'"}, "down"},
		"end-of-time":          {map[string]string{"last_seen_up": "'9999-12-31 23:59:59'"}, "down"},
		"no-times":             {map[string]string{"created_at": "NULL"}, "data"},
		"api":                  {map[string]string{"created_at": fresh, "`binary`": "'nova-osapi_compute'", "topic": "NULL"}, "absent"},
		"metadata":             {map[string]string{"created_at": fresh, "`binary`": "'nova-metadata'", "topic": "NULL"}, "absent"},
		"ec2":                  {map[string]string{"created_at": fresh, "`binary`": "'nova-ec2'", "topic": "NULL"}, "absent"},
		"no-topic":             {map[string]string{"last_seen_up": fresh, "topic": "NULL"}, "name"},
		"empty-topic":          {map[string]string{"last_seen_up": fresh, "topic": "''"}, "name"},
		"no-binary":            {map[string]string{"last_seen_up": fresh, "`binary`": "NULL"}, "up"},
		"host@backend#1 Füße-": {map[string]string{"last_seen_up": fresh}, "up"},
	}
	db := table(t, server, "awkward", zed)
	for _, host := range slices.Sorted(maps.Keys(rows)) {
		insert(t, db, host, rows[host].columns)
	}
	insert(t, db, "", map[string]string{"last_seen_up": fresh})
	insert(t, db, "NULL", map[string]string{"host": "NULL", "last_seen_up": fresh})

	for _, tz := range []string{"+00:00", "+02:00", "-11:30", "+13:00"} {
		p := poll(t, open(t, config(zone(at(server, "awkward", instant), tz))))
		for host, row := range rows {
			require.Equal(t, row.want, verdict(p, host), "%s at %s", host, tz)
		}
		require.Equal(t, "name", verdict(p, ""), "both rows without a host")
	}

	p := poll(t, open(t, config(at(server, "awkward", instant))))
	require.Equal(t, drivers.FlagYes, find(p, "forced").ForcedDown)
	require.Equal(t, drivers.FlagNo, find(p, "forced-null").ForcedDown)
	require.Equal(t, drivers.FlagNo, find(p, "disabled").Enabled)
	require.Equal(t, drivers.FlagYes, find(p, "disabled-null").Enabled)
	require.Empty(t, find(p, "live").UUID)
	require.Empty(t, find(p, "live").Version)
	require.Empty(t, find(p, "no-binary").Binary)
	require.Equal(t, time.Date(2026, 11, 22, 15, 53, 35, 0, time.UTC), find(p, "never-new").LastHeartbeat, "when it was made")
	require.Equal(t, time.Date(2026, 11, 22, 15, 54, 50, 0, time.UTC), find(p, "far-future").LastHeartbeat)
}

// A date of zeros, which MySQL accepts with old settings, counts as NULL.
func testZeroDates(t *testing.T, server dbServer) {
	db := table(t, server, "zeros", zed)
	insert(t, db, "one", map[string]string{"last_seen_up": "'0000-00-00 00:00:00'", "created_at": ago(5 * time.Second)})
	insert(t, db, "two", map[string]string{"last_seen_up": "'0000-00-00'", "created_at": "'0000-00-00'"})
	p := poll(t, open(t, config(at(server, "zeros", instant))))
	require.Equal(t, "up", verdict(p, "one"))
	require.Equal(t, "data", verdict(p, "two"))
}

// Around the limit the verdict is Nova's to the microsecond: its clock has fractions, the column has none, and the rule is
// abs(elapsed) <= service_down_time.
func testThreshold(t *testing.T, server dbServer) {
	beat := time.Date(2026, 3, 29, 0, 59, 30, 0, time.UTC) // half a minute before Europe's clocks skip an hour
	db := table(t, server, "threshold", zed)
	insert(t, db, "one", map[string]string{"last_seen_up": "'" + beat.Format(time.DateTime) + "'"})
	for age, want := range map[time.Duration]string{
		-60*time.Second - time.Microsecond: "down",
		-60 * time.Second:                  "up",
		-time.Microsecond:                  "up",
		0:                                  "up",
		59*time.Second + 999_999*time.Microsecond: "up",
		60 * time.Second:                          "up",
		60*time.Second + time.Microsecond:         "down",
		60*time.Second + 999_999*time.Microsecond: "down",
		61 * time.Second:                          "down",
	} {
		for _, tz := range []string{"SYSTEM", "+00:00", "+02:00", "-08:00", "+05:45"} {
			now := beat.Add(age)
			p := poll(t, open(t, config(zone(at(server, "threshold", now), tz))))
			require.Equal(t, now, p.Now)
			require.Equal(t, want, verdict(p, "one"), "%v after the heartbeat at %s", age, tz)
		}
	}
}

// The release decides which of the three times counts.
func testReleases(t *testing.T, server dbServer) {
	fresh, old := ago(5*time.Second), ago(70*time.Second)
	tests := []struct {
		release, seen, updated, created string
		want                            string
	}{
		{zed, fresh, old, old, "up"},
		{zed, old, fresh, fresh, "down"},
		{zed, "NULL", fresh, old, "down"},
		{zed, "NULL", old, fresh, "up"},
		{liberty, fresh, old, old, "up"},
		{liberty, old, fresh, fresh, "down"},
		{liberty, "NULL", fresh, old, "up"},
		{liberty, "NULL", old, fresh, "down"},
		{liberty, "NULL", "NULL", fresh, "up"},
		{havana, "", fresh, old, "up"},
		{havana, "", old, fresh, "down"},
		{havana, "", "NULL", fresh, "up"},
		{grizzly, "", fresh, old, "up"},
		{grizzly, "", old, fresh, "down"},
		{grizzly, "", "NULL", old, "down"},
	}
	for i, test := range tests {
		database := fmt.Sprintf("release%d", i)
		db := table(t, server, database, test.release)
		row := map[string]string{"updated_at": test.updated, "created_at": test.created}
		if test.seen != "" {
			row["last_seen_up"] = test.seen
		}
		insert(t, db, "one", row)
		p := poll(t, open(t, config(at(server, database, instant))))
		require.Equal(t, test.want, verdict(p, "one"), "%+v", test)
		forced := drivers.FlagNo
		if test.seen == "" {
			forced = drivers.FlagNone
		}
		require.Equal(t, forced, find(p, "one").ForcedDown, test.release)
	}
}

// Releases 12 to 14 have the same table as 15. The recorded migrations tell them apart, if they can be read.
func testMigrations(t *testing.T, server dbServer) {
	db := table(t, server, "migrations", liberty)
	insert(t, db, "one", map[string]string{"updated_at": ago(5 * time.Second)})
	exec(t, db, `CREATE TABLE migrate_version (repository_id VARCHAR(250) PRIMARY KEY, repository_path TEXT, version INT)`)
	exec(t, db, `INSERT INTO migrate_version VALUES ('other', '', 999)`)
	read := func(dsn string) string { return verdict(poll(t, open(t, config(dsn))), "one") }

	require.Equal(t, "up", read(at(server, "migrations", instant)), "no record of Nova's")
	exec(t, db, `INSERT INTO migrate_version VALUES ('nova', '', 334)`)
	require.Equal(t, "up", read(at(server, "migrations", instant)), "Newton's last")
	exec(t, db, `UPDATE migrate_version SET version = 345 WHERE repository_id = 'nova'`)
	require.Equal(t, "down", read(at(server, "migrations", instant)), "Ocata's first")

	exec(t, db, `CREATE USER reader; GRANT SELECT ON migrations.services TO reader`)
	reader := "reader" + at(server, "migrations", instant)[len("root"):]
	require.Equal(t, "up", read(reader), "without a grant on the record the older rule applies")
}

// Before 2013.2 the table allowed a host to have two rows.
func testDuplicates(t *testing.T, server dbServer) {
	db := table(t, server, "duplicates", grizzly)
	for _, age := range []time.Duration{90 * time.Second, 3 * time.Second, 80 * time.Second} {
		insert(t, db, "one", map[string]string{"updated_at": ago(age)})
	}
	insert(t, db, "two", map[string]string{"updated_at": ago(time.Second)})
	duplicate := drivers.Rejection{Group: "compute", Name: "one", Reason: "duplicate"}
	d := open(t, config(at(server, "duplicates", instant)))
	for range 3 { // The first poll has no poll before it to compare with.
		p := poll(t, d)
		require.Len(t, p.Members, 2)
		require.True(t, find(p, "one").Up, "the newest heartbeat counts")
		require.True(t, find(p, "two").Up)
		require.Equal(t, []drivers.Rejection{duplicate, duplicate}, p.Rejected)
	}

	// A duplicate that is added later is found too, also if the order of the rows has changed.
	insert(t, db, "two", map[string]string{"updated_at": ago(time.Hour)})
	exec(t, db, "DELETE FROM services WHERE host = 'one' AND updated_at <> "+ago(3*time.Second))
	p := poll(t, d)
	require.Len(t, p.Members, 2)
	require.True(t, find(p, "one").Up)
	require.True(t, find(p, "two").Up)
	require.Equal(t, []drivers.Rejection{{Group: "compute", Name: "two", Reason: "duplicate"}}, p.Rejected)
}

func testEmptyTable(t *testing.T, server dbServer) {
	db := table(t, server, "empty", zed)
	d := open(t, config(at(server, "empty", instant)))
	for _, deleted := range []string{"5", "NULL"} {
		p := poll(t, d)
		require.Empty(t, p.Members)
		require.Empty(t, p.Rejected)
		require.Equal(t, instant, p.Now, "the clock is read without rows too")
		require.Regexp(t, "MariaDB|^PostgreSQL [0-9]", p.Backend)
		// The clock is also read if no row is a member.
		insert(t, db, "gone", map[string]string{"deleted": deleted})
	}
}

// After the database is upgraded while the exporter runs, the rule of the new release applies.
func testUpgrade(t *testing.T, server dbServer) {
	db := table(t, server, "upgrade", zed)
	insert(t, db, "one", map[string]string{"last_seen_up": ago(time.Second)})
	d := open(t, config(at(server, "upgrade", instant)))
	require.Equal(t, "up", verdict(poll(t, d), "one"))
	before := d.Counts().Operations

	exec(t, db, "ALTER TABLE services DROP COLUMN version, DROP COLUMN disabled_reason, DROP COLUMN report_count")
	require.Equal(t, "up", verdict(poll(t, d), "one"), "the layout is read again after columns vanished")
	require.Equal(t, before+3, d.Counts().Operations, "the query that failed, the columns, the query")
	require.Equal(t, "up", verdict(poll(t, d), "one"))
	require.Equal(t, before+4, d.Counts().Operations)
}

func testOneQuery(t *testing.T, server dbServer) {
	table(t, server, "queries", zed, "rows.sql")
	d := open(t, config(server.DSN("queries")))
	poll(t, d)
	require.Equal(t, drivers.Counts{Operations: 2}, d.Counts(), "the columns, then the rows")
	for range 5 {
		poll(t, d)
	}
	require.Equal(t, drivers.Counts{Operations: 7}, d.Counts())
}

// On a server with autocommit off, a reader that did not set it would read the rows of the first poll again and again.
func testAutocommit(t *testing.T, server dbServer) {
	db := table(t, server, "transactions", zed)
	exec(t, db, "SET GLOBAL autocommit = 0")
	defer exec(t, db, "SET GLOBAL autocommit = 1")
	d := open(t, config(server.DSN("transactions")))
	require.Empty(t, poll(t, d).Members)
	insert(t, db, "one", map[string]string{"last_seen_up": "UTC_TIMESTAMP()"})
	require.Equal(t, "up", verdict(poll(t, d), "one"))
}
