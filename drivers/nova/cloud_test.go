package nova

import (
	"database/sql"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/db"
	"servicegroup_exporter/internal/testserver"
)

// Nova's own tables, and rows that it wrote.
const (
	apiTables, apiRows = "../db/testdata/nova_api.sql", "../db/testdata/nova_api_rows.sql"
	zed, rows          = "../db/testdata/zed.sql", "../db/testdata/rows.sql"
)

// database creates a database and runs the statements of files in it.
func database(t *testing.T, server *testserver.SQL, name string, files ...string) *sql.DB {
	t.Helper()
	pool := server.Open(t, name)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		exec(t, pool, string(text))
	}
	return pool
}

func exec(t *testing.T, pool *sql.DB, query string) {
	t.Helper()
	_, err := pool.ExecContext(t.Context(), query)
	require.NoError(t, err, query)
}

func section(dsn string) db.Config {
	c := db.DefaultConfig()
	c.DSN, c.Timeout = drivers.SecretText(dsn), drivers.Duration(2*time.Second)
	return c
}

// countingCloud is a cloud that counts how often it read other cells than before.
type countingCloud struct {
	*Cloud
	changes int
}

func newCountingCloud(cfg Config, before *Cloud) *countingCloud {
	w := &countingCloud{}
	w.Cloud = NewCloud(cfg, before, func() { w.changes++ })
	return w
}

func (w *countingCloud) open(t *testing.T) *Driver {
	t.Helper()
	d, err := w.Open(slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

func (w *countingCloud) cell(t *testing.T, dsn string) drivers.Driver {
	t.Helper()
	cell, err := db.Open(section(dsn), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	d := w.Zoned(cell)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

func (w *countingCloud) names() []string {
	var names []string
	for _, c := range w.Cells() {
		names = append(names, c.Name)
	}
	return names
}

// zonesOf returns the zone of every member, by group and name.
func zonesOf(t *testing.T, d drivers.Driver) map[string]string {
	t.Helper()
	poll, err := d.Members(t.Context())
	require.NoError(t, err)
	zones := map[string]string{}
	for _, m := range poll.Members {
		zones[m.Group+"/"+m.Name] = m.Zone
	}
	return zones
}

func TestCloud(t *testing.T) {
	server := testserver.MariaDB(t)
	t.Run("cells come and go", func(t *testing.T) { testCells(t, server) })
	t.Run("zones", func(t *testing.T) { testZones(t, server) })
	t.Run("configured cells", func(t *testing.T) { testConfiguredCells(t, server) })
	t.Run("what can't be read stays", func(t *testing.T) { testMissingGrants(t, server) })
}

func testCells(t *testing.T, server *testserver.SQL) {
	api := database(t, server, "api", apiTables)
	w := newCountingCloud(Config{
		API: section(server.DSN("api")), Connection: drivers.SecretText("mysql://nova:sesame@db:3307/nova"), Parameters: "ssl_mode=REQUIRED",
	}, nil)
	require.Nil(t, w.Cells())
	d := w.open(t)
	_, err := d.Members(t.Context())
	require.ErrorContains(t, err, "has no rows")
	require.Nil(t, w.Cells())
	require.Zero(t, w.changes)

	exec(t, api, `INSERT INTO cell_mappings (uuid, name, database_connection) VALUES ('0', 'cell0', 'mysql://a:b@h/nova_cell0'),
		('1', NULL, '{scheme}://{username}:{password}@{hostname}:{port}/nova?charset=utf8')`)
	poll, err := d.Members(t.Context())
	require.NoError(t, err)
	require.True(t, poll.ListsDatabases)
	require.Empty(t, poll.Members)
	require.Equal(t, []db.Cell{
		{Name: "cell0", DSN: drivers.SecretText("mysql://a:b@h/nova_cell0?ssl_mode=REQUIRED")},
		{Name: "1", DSN: drivers.SecretText("mysql://nova:sesame@db:3307/nova?charset=utf8&ssl_mode=REQUIRED")},
	}, w.Cells())
	require.Equal(t, 1, w.changes)

	for _, change := range []struct {
		query string
		want  []string
	}{
		{"INSERT INTO cell_mappings (uuid, name, disabled) VALUES ('2', 'cell2', 1)", []string{"cell0", "1", "cell2"}},
		{"UPDATE cell_mappings SET name = 'cell1' WHERE uuid = '1'", []string{"cell0", "cell1", "cell2"}},
		{"UPDATE cell_mappings SET database_connection = 'mysql://c:d@h/x' WHERE uuid = '2'", []string{"cell0", "cell1", "cell2"}},
		{"DELETE FROM cell_mappings WHERE uuid = '0'", []string{"cell1", "cell2"}},
	} {
		before := w.changes
		exec(t, api, change.query)
		for range 2 {
			_, err = d.Members(t.Context())
			require.NoError(t, err)
		}
		require.Equal(t, change.want, w.names(), change.query)
		require.Equal(t, before+1, w.changes, "changed is called once, and only for a change")
	}

	exec(t, api, "DELETE FROM cell_mappings")
	_, err = d.Members(t.Context())
	require.Error(t, err)
	require.Equal(t, []string{"cell1", "cell2"}, w.names(), "a Nova without cells is an error, not a change")

	next := newCountingCloud(Config{API: section(server.DSN("api"))}, w.Cloud)
	require.Equal(t, w.names(), next.names(), "a cloud with other settings starts with the state before")
}

func testZones(t *testing.T, server *testserver.SQL) {
	api := database(t, server, "api_zones", apiTables, apiRows)
	database(t, server, "cell", zed, rows)
	w := newCountingCloud(Config{API: section(server.DSN("api_zones")), DefaultZone: "nova", InternalZone: "internal"}, nil)
	cell := w.cell(t, server.DSN("cell"))

	unknown := zonesOf(t, cell)
	require.Empty(t, unknown["compute/compute-01"])
	require.Empty(t, unknown["compute/compute-08"], "the aggregates were not read yet")
	require.Equal(t, "internal", unknown["scheduler/controller-01"], "it does not depend on the API database")

	d := w.open(t)
	_, err := d.Members(t.Context())
	require.NoError(t, err)
	want := map[string]string{
		"compute/compute-01": "az-a", "compute/compute-02": "az-b", "compute/compute-03": "az-a", "compute/compute-04": "az-b",
		"compute/compute-05": "az-a", "compute/compute-06": "az-b", "compute/compute-07": "az-a", "compute/compute-08": "nova",
		"compute/compute-09": "az-a", "compute/compute-10": "nova",
		"scheduler/controller-01": "internal", "conductor/controller-01": "internal",
	}
	require.Equal(t, want, zonesOf(t, cell))
	require.Equal(t, want, zonesOf(t, cell), "the second poll too")

	// Zones are read once a minute, not with every poll.
	exec(t, api, "UPDATE aggregate_metadata SET value = 'az-c' WHERE value = 'az-a'")
	operations := d.Counts().Operations
	_, err = d.Members(t.Context())
	require.NoError(t, err)
	require.Equal(t, operations+1, d.Counts().Operations, "the cells only")
	require.Equal(t, "az-a", zonesOf(t, cell)["compute/compute-01"])
	d.zonesRead.Store(new(time.Now().Add(-zonesEvery)))
	_, err = d.Members(t.Context())
	require.NoError(t, err)
	require.Equal(t, "az-c", zonesOf(t, cell)["compute/compute-01"])

	// A cell can be joined like any other database.
	_, ok := cell.(drivers.Joiner)
	require.True(t, ok)
}

func testConfiguredCells(t *testing.T, server *testserver.SQL) {
	api := database(t, server, "api_hand", apiTables, apiRows)
	exec(t, api, `CREATE USER hand; GRANT SELECT ON api_hand.aggregate_hosts TO hand; GRANT SELECT ON api_hand.aggregate_metadata TO hand`)
	w := newCountingCloud(Config{
		API: section("hand@tcp(" + server.Addr() + ")/api_hand"), Connection: drivers.SecretText("mysql://u:p@h/d"),
		Cells: []db.Cell{{Name: "cell1", DSN: drivers.SecretText("mysql://{username}@{hostname}/nova")}},
	}, nil)
	want := []db.Cell{{Name: "cell1", DSN: drivers.SecretText("mysql://u@h/nova")}}
	require.Equal(t, want, w.Cells(), "it does not depend on the API database")
	d := w.open(t)
	_, err := d.Members(t.Context())
	require.NoError(t, err, "the account has no grant on cell_mappings")
	require.Equal(t, want, w.Cells())
	require.Zero(t, w.changes)
	require.Equal(t, "az-b", w.zonesByHost()["compute-02"])
}

// With a grant on only one of cells and zones, this one is read, and the error names the other.
func testMissingGrants(t *testing.T, server *testserver.SQL) {
	api := database(t, server, "api_away", apiTables, apiRows)
	exec(t, api, "CREATE USER away; GRANT SELECT ON api_away.cell_mappings TO away")
	w := newCountingCloud(Config{API: section("away@tcp(" + server.Addr() + ")/api_away")}, nil)
	d := w.open(t)
	_, err := d.Members(t.Context())
	require.Equal(t, drivers.ReasonAuth, drivers.ReasonOf(err))
	require.ErrorContains(t, err, "reading aggregates of")
	require.Equal(t, []string{"cell0", "cell1"}, w.names())
	require.Nil(t, w.zonesByHost())

	exec(t, api, `REVOKE SELECT ON api_away.cell_mappings FROM away; GRANT SELECT ON api_away.aggregate_hosts TO away;
		GRANT SELECT ON api_away.aggregate_metadata TO away`)
	_, err = d.Members(t.Context())
	require.ErrorContains(t, err, "reading cell_mappings of")
	require.Equal(t, []string{"cell0", "cell1"}, w.names())
	require.Len(t, w.zonesByHost(), 8)

	exec(t, api, "DROP DATABASE api_away")
	d.zonesRead.Store(nil)
	_, err = d.Members(t.Context())
	require.Error(t, err)
	require.Equal(t, []string{"cell0", "cell1"}, w.names())
	require.Len(t, w.zonesByHost(), 8)
}

func TestBroken(t *testing.T) {
	_, err := db.Open(section("nonsense:sesame"), slog.New(slog.DiscardHandler))
	require.Error(t, err)
	d := Broken(err)
	_, unavailable := d.Members(t.Context())
	require.ErrorIs(t, unavailable, drivers.ErrUnavailable)
	require.Equal(t, drivers.ReasonSchema, drivers.ReasonOf(unavailable))
	require.EqualError(t, unavailable, err.Error())
	require.NotContains(t, err.Error(), "sesame")
	require.NoError(t, d.Close())
}
