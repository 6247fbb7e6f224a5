package db

import (
	"bytes"
	"database/sql"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

func TestMembership(t *testing.T) {
	t.Parallel()
	server := testserver.MariaDB(t, "--default-time-zone=-05:00")
	for name, test := range map[string]func(*testing.T, *testserver.SQL){
		"row":         testRow,
		"old row":     testExistingRow,
		"old release": testOldReleases,
		"leave":       testLeave,
		"die":         testDie,
		"removed":     testRemoved,
		"replaced":    testReplaced,
		"taken":       testTaken,
		"many":        testManyJoin,
		"bad names":   testBadNames,
	} {
		t.Run(name, func(t *testing.T) { test(t, server) })
	}
}

// quick returns a configuration with frequent heartbeats that never become too old.
func quick(dsn string) Config {
	cfg := config(dsn)
	cfg.ReportInterval = drivers.Duration(50 * time.Millisecond)
	return cfg
}

func join(t *testing.T, d *Driver, name string) drivers.Membership {
	t.Helper()
	m, err := d.Join(t.Context(), drivers.JoinRequest{Group: "compute", Name: name})
	require.NoError(t, err)
	t.Cleanup(m.Abandon)
	return m
}

// A rowState is the content of a row, with times as seconds before now.
type rowState struct {
	ID, Reports         int64
	Binary              string
	Deleted             sql.NullInt64
	Disabled            sql.NullBool
	Forced              sql.NullBool
	Version             sql.NullInt64
	UUID                sql.NullString
	Created, Seen       sql.NullFloat64
	Updated, WasDeleted sql.NullFloat64
}

func readRow(t *testing.T, db *sql.DB, where string) (r rowState) {
	t.Helper()
	since := func(column string) string {
		return "TIMESTAMPDIFF(MICROSECOND, " + column + ", UTC_TIMESTAMP(6)) / 1e6"
	}
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT id, report_count, `binary`, deleted, disabled, forced_down,"+
		"version, uuid,"+since("created_at")+","+since("last_seen_up")+","+since("updated_at")+","+since("deleted_at")+
		" FROM services WHERE "+where).
		Scan(&r.ID, &r.Reports, &r.Binary, &r.Deleted, &r.Disabled, &r.Forced, &r.Version, &r.UUID,
			&r.Created, &r.Seen, &r.Updated, &r.WasDeleted))
	return r
}

// requireRecent requires that a time in whole seconds is close to now, on a busy machine.
func requireRecent(t *testing.T, age sql.NullFloat64) {
	t.Helper()
	require.True(t, age.Valid)
	require.GreaterOrEqual(t, age.Float64, 0.0)
	require.Less(t, age.Float64, 5.0)
}

// The row is the one that Nova inserts, and has its first heartbeat when Join returns.
func testRow(t *testing.T, server *testserver.SQL) {
	db := table(t, server, "newrow", zed)
	d := open(t, config(server.DSN("newrow")))
	join(t, d, "one")
	r := readRow(t, db, "host = 'one'")
	require.Equal(t, "nova-compute", r.Binary)
	require.EqualValues(t, 1, r.Reports)
	require.Equal(t, sql.NullInt64{Valid: true}, r.Deleted)
	require.Equal(t, sql.NullBool{Valid: true}, r.Disabled)
	require.Equal(t, sql.NullBool{Valid: true}, r.Forced)
	require.False(t, r.Version.Valid)
	require.False(t, r.WasDeleted.Valid)
	_, err := uuid.Parse(r.UUID.String)
	require.NoError(t, err)
	requireRecent(t, r.Created)
	requireRecent(t, r.Seen)
	requireRecent(t, r.Updated)

	fast := open(t, quick(server.DSN("newrow")))
	join(t, fast, "two")
	testserver.Eventually(t, func() bool { return readRow(t, db, "host = 'two'").Reports >= 4 }, time.Minute, 10*time.Millisecond, "more heartbeats")
	require.EqualValues(t, 1, readRow(t, db, "host = 'one'").Reports, "one heartbeat an interval")
}

// Join uses an existing row and keeps its other columns: the member is the service that came back.
func testExistingRow(t *testing.T, server *testserver.SQL) {
	db := table(t, server, "oldrow", zed)
	insert(t, db, "one", map[string]string{
		"last_seen_up": ago(time.Hour), "disabled": "1", "forced_down": "1", "uuid": "'kept'", "version": "64",
	})
	join(t, open(t, config(server.DSN("oldrow"))), "one")
	require.Equal(t, 1, count(t, db, "services"))
	r := readRow(t, db, "host = 'one'")
	require.EqualValues(t, 8, r.Reports)
	require.True(t, r.Disabled.Bool)
	require.True(t, r.Forced.Bool)
	require.Equal(t, "kept", r.UUID.String)
	require.EqualValues(t, 64, r.Version.Int64)
	requireRecent(t, r.Seen)
}

func testOldReleases(t *testing.T, server *testserver.SQL) {
	for _, release := range []string{liberty, havana, grizzly} {
		table(t, server, "oldrelease", release)
		db := server.Open(t, "oldrelease")
		cfg := config(server.DSN("oldrelease"))
		cfg.ServiceDownTime = drivers.Duration(20 * time.Second)
		d := open(t, cfg)
		m := join(t, d, "one")
		p := poll(t, d)
		require.Equal(t, "up", verdict(p, "one"), release)
		require.WithinDuration(t, p.Now, find(p, "one").LastHeartbeat, 5*time.Second)
		require.Equal(t, 1, count(t, db, "services WHERE report_count = 1 AND updated_at IS NOT NULL"))
		require.NoError(t, m.Die(t.Context(), drivers.Death{At: time.Now()}))
		require.Equal(t, "down", verdict(poll(t, d), "one"), release)
		require.NoError(t, d.Leave(t.Context(), "compute", "one"))
		require.Equal(t, "absent", verdict(poll(t, d), "one"), release)
		exec(t, db, "DROP TABLE services")
	}
}

// A member leaves as Nova deletes a service: deleted becomes the id, and of the other columns only deleted_at changes.
func testLeave(t *testing.T, server *testserver.SQL) {
	db := table(t, server, "leaving", zed)
	insert(t, db, "one", map[string]string{
		"last_seen_up": ago(time.Hour), "updated_at": ago(time.Minute), "forced_down": "1",
	})
	d := open(t, config(server.DSN("leaving")))
	require.ErrorIs(t, d.Leave(t.Context(), "compute", "two"), drivers.ErrNoMember)
	require.ErrorIs(t, d.Leave(t.Context(), "conductor", "one"), drivers.ErrNoMember)
	require.NoError(t, d.Leave(t.Context(), "compute", "one"))
	require.ErrorIs(t, d.Leave(t.Context(), "compute", "one"), drivers.ErrNoMember)
	r := readRow(t, db, "host = 'one'")
	require.Equal(t, r.ID, r.Deleted.Int64)
	require.EqualValues(t, 7, r.Reports)
	require.True(t, r.Forced.Bool)
	requireRecent(t, r.WasDeleted)
	require.Equal(t, 1, count(t, db, "services WHERE updated_at = "+ago(time.Minute)+" AND last_seen_up = "+ago(time.Hour)))

	// The name is free for a new row.
	m := join(t, d, "one")
	fresh := readRow(t, db, "host = 'one' AND deleted = 0")
	require.NotEqual(t, r.ID, fresh.ID)
	require.NoError(t, m.Leave(t.Context()))
	require.NoError(t, m.Leave(t.Context()))
	require.Equal(t, fresh.ID, readRow(t, db, "deleted = id AND report_count = 1").ID)
	require.Zero(t, count(t, db, "services WHERE deleted = 0"))
}

func testDie(t *testing.T, server *testserver.SQL) {
	db := table(t, server, "dying", zed)
	d := open(t, quick(server.DSN("dying")))
	m := join(t, d, "one")
	require.NoError(t, m.Die(t.Context(), drivers.Death{At: time.Now()}))
	dead := readRow(t, db, "host = 'one'")
	require.Greater(t, dead.Seen.Float64, 60.0, "Nova's own readers call it down too")
	require.Less(t, dead.Seen.Float64, 70.0)
	requireRecent(t, dead.Updated)
	require.False(t, dead.Forced.Bool)
	require.Zero(t, dead.Deleted.Int64)
	require.Equal(t, "down", verdict(poll(t, d), "one"))

	// No heartbeat follows, and a membership ends only once.
	require.NoError(t, m.Leave(t.Context()))
	requireNoHeartbeats(t, db, dead.Reports)

	// A new Join makes the member up again.
	m = join(t, d, "one")
	require.Equal(t, "up", verdict(poll(t, d), "one"))
	m.Abandon()
	requireNoHeartbeats(t, db, readRow(t, db, "host = 'one'").Reports)
	require.Equal(t, "up", verdict(poll(t, d), "one"), "the heartbeat is not too old yet")
}

// requireNoHeartbeats watches the only member for some intervals, in which no heartbeat may be written.
func requireNoHeartbeats(t *testing.T, db *sql.DB, reports int64) {
	t.Helper()
	for range 6 {
		time.Sleep(50 * time.Millisecond)
		require.Equal(t, reports, readRow(t, db, "host = 'one'").Reports)
	}
}

// A member that is deleted through Nova's API does not come back by itself, as in Nova since 21.0.0.
func testRemoved(t *testing.T, server *testserver.SQL) {
	db := table(t, server, "removed", zed)
	d := open(t, quick(server.DSN("removed")))
	m := join(t, d, "one")
	require.NoError(t, m.Err())
	exec(t, db, "UPDATE services SET deleted = id")
	select {
	case <-m.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("nobody told the member")
	}
	require.ErrorIs(t, m.Err(), drivers.ErrRemoved)
	reports := readRow(t, db, "host = 'one'").Reports
	require.NoError(t, m.Leave(t.Context()))
	require.NoError(t, m.Die(t.Context(), drivers.Death{At: time.Now()}))
	require.Equal(t, reports, readRow(t, db, "host = 'one'").Reports)
	require.Zero(t, count(t, db, "services WHERE deleted = 0"))
}

// A table that was restored from a backup may have another member with the same id. Its row is not changed.
func testReplaced(t *testing.T, server *testserver.SQL) {
	db := table(t, server, "replaced", zed)
	m := join(t, open(t, quick(server.DSN("replaced"))), "one")
	exec(t, db, "UPDATE services SET host = 'two', report_count = 1000")
	select {
	case <-m.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("nobody told the member")
	}
	require.EqualValues(t, 1000, readRow(t, db, "host = 'two'").Reports)
}

// The table's unique keys allow a name once in a group, and a binary once on a host.
func testTaken(t *testing.T, server *testserver.SQL) {
	table(t, server, "taken", zed)
	d := open(t, config(server.DSN("taken")))
	join(t, d, "one")
	for _, req := range []drivers.JoinRequest{
		{Group: "compute", Name: "one", Binary: "nova-other"},
		{Group: "other", Name: "one", Binary: "nova-compute"},
	} {
		_, err := d.Join(t.Context(), req)
		require.ErrorIs(t, err, drivers.ErrNameTaken)
		require.NotErrorIs(t, err, drivers.ErrUnavailable)
	}
	_, err := d.Join(t.Context(), drivers.JoinRequest{Group: "other", Name: "one"})
	require.NoError(t, err)
}

// As with Nova's workers several processes can be one member. None of them inserts a second row.
func testManyJoin(t *testing.T, server *testserver.SQL) {
	table(t, server, "many", zed)
	db := server.Open(t, "many")
	var wg sync.WaitGroup
	for range 5 {
		d := open(t, config(server.DSN("many")))
		wg.Go(func() {
			if _, err := d.Join(t.Context(), drivers.JoinRequest{Group: "compute", Name: "one"}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.Equal(t, 1, count(t, db, "services"))
	require.EqualValues(t, 5, readRow(t, db, "host = 'one'").Reports)
}

func testBadNames(t *testing.T, server *testserver.SQL) {
	db := table(t, server, "badnames", zed)
	d := open(t, config(server.DSN("badnames")))
	for _, req := range []drivers.JoinRequest{
		{Group: "", Name: "one"},
		{Group: "compute", Name: ""},
		{Group: "compute", Name: "\xff"},
		{Group: "compute", Name: "a\x00b"},
		{Group: "compute", Name: strings.Repeat("ü", 256)},
		{Group: "compute", Name: "one", Binary: "nova-metadata"},
	} {
		_, err := d.Join(t.Context(), req)
		require.Error(t, err)
		require.NotErrorIs(t, err, drivers.ErrUnavailable)
	}
	require.Zero(t, count(t, db, "services"))
	join(t, d, strings.Repeat("ü", 255))
}

// Heartbeats continue through an outage. The first failure and the first success after it are logged.
func TestHeartbeatsThroughOutage(t *testing.T) {
	t.Parallel()
	server := testserver.MariaDB(t)
	db := table(t, server, "nova", zed)
	var log lockedBuffer
	cfg := quick(server.DSN("nova"))
	cfg.Timeout = drivers.Duration(500 * time.Millisecond)
	d, err := Open(cfg, slog.New(slog.NewTextHandler(&log, nil)))
	require.NoError(t, err)
	m := join(t, d, "one")
	for _, outage := range []struct{ begin, end func() }{{server.Stop, server.Start}, {server.Freeze, server.Thaw}} {
		outage.begin()
		testserver.Eventually(t, func() bool { return strings.HasSuffix(log.String(), "Heartbeats fail") }, time.Minute, 10*time.Millisecond, "heartbeats fail")
		time.Sleep(2 * time.Duration(cfg.Timeout)) // More heartbeats fail: each is tried for the timeout at most.
		outage.end()
		testserver.Eventually(t, func() bool { return strings.HasSuffix(log.String(), "Heartbeats succeed again") }, time.Minute, 10*time.Millisecond, "heartbeats succeed again")
		reports := readRow(t, db, "host = 'one'").Reports
		testserver.Eventually(t, func() bool { return readRow(t, db, "host = 'one'").Reports > reports }, time.Minute, 10*time.Millisecond, "more heartbeats")
	}
	require.NoError(t, m.Err())
	require.NoError(t, d.Close())
	// A failure is logged again if it is another one, such as a refused connection after a reset one.
	said := slices.Compact(strings.Split(log.String(), ", "))
	require.Equal(t, "Heartbeats fail, Heartbeats succeed again, Heartbeats fail, Heartbeats succeed again", strings.Join(said, ", "))
	require.LessOrEqual(t, strings.Count(log.String(), "Heartbeats fail"), 6)
}

// lockedBuffer collects the messages of a log, without their attributes.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.buf.Len() > 0 {
		b.buf.WriteString(", ")
	}
	_, rest, _ := bytes.Cut(line, []byte(`msg="`))
	message, _, _ := bytes.Cut(rest, []byte(`"`))
	b.buf.Write(message)
	return len(line), nil
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
