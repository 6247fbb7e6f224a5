package db

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

const apiTables, apiRows = "nova_api.sql", "nova_api_rows.sql"

func openAPI(t *testing.T, dsn string) *API {
	t.Helper()
	a, err := OpenAPI(config(dsn), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	return a
}

func TestAPI(t *testing.T) {
	t.Parallel()
	server := testserver.MariaDB(t)
	t.Run("what Nova wrote", func(t *testing.T) { testAPIRows(t, server) })
	t.Run("names of cells", func(t *testing.T) { testCellNames(t, server) })
	t.Run("zones", func(t *testing.T) { testZones(t, server) })
	t.Run("grants", func(t *testing.T) { testAPIGrants(t, server) })
	t.Run("faults", func(t *testing.T) { testAPIFaults(t, server) })
}

func testAPIRows(t *testing.T, server *testserver.SQL) {
	table(t, server, "real", apiTables, apiRows)
	a := openAPI(t, server.DSN("real"))
	cells, err := a.Cells(t.Context())
	require.NoError(t, err)
	require.Equal(t, []Cell{
		{"cell0", drivers.SecretText("mysql+pymysql://nova:labpw@127.0.0.1:13306/nova_cell0")},
		{"cell1", drivers.SecretText("mysql+pymysql://nova:labpw@127.0.0.1:13306/nova")},
	}, cells)
	zones, err := a.Zones(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]string{
		"compute-01": "az-a", "compute-02": "az-b", "compute-03": "az-a", "compute-04": "az-b",
		"compute-05": "az-a", "compute-06": "az-b", "compute-07": "az-a", "compute-09": "az-a",
	}, zones)
	require.Equal(t, uint64(2), a.Counts().Operations, "one query each")
}

func testCellNames(t *testing.T, server *testserver.SQL) {
	db := table(t, server, "names", apiTables)
	a := openAPI(t, server.DSN("names"))
	_, err := a.Cells(t.Context())
	require.ErrorIs(t, err, drivers.ErrUnavailable)
	require.Equal(t, drivers.ReasonSchema, drivers.ReasonOf(err))
	require.ErrorContains(t, err, "cell_mappings of "+server.Addr()+"/names has no rows")

	for i, row := range []string{"'région-1', 'x', 0", "NULL, 'x', 0", "'', 'x', 0", "'a b', 'x', 0", "'twice', 'x', 0", "'twice', 'x', 1", "'off', NULL, 1"} {
		exec(t, db, fmt.Sprintf("INSERT INTO cell_mappings (uuid, name, database_connection, disabled) VALUES ('uuid-%d', %s)", i, row))
	}
	cells, err := a.Cells(t.Context())
	require.NoError(t, err)
	x := drivers.SecretText("x")
	require.Equal(t, []Cell{
		{"région-1", x}, {"uuid-1", x}, {"uuid-2", x}, {"uuid-3", x}, {"uuid-4", x}, {"uuid-5", x}, {"off", drivers.Secret{}},
	}, cells)

	exec(t, db, "ALTER TABLE cell_mappings DROP COLUMN disabled") // as before 18.0.0
	cells, err = a.Cells(t.Context())
	require.NoError(t, err)
	require.Len(t, cells, 7)

	values := strings.TrimSuffix(strings.Repeat("(UUID(), UUID(), 'x'),", maxCells), ",")
	exec(t, db, "INSERT INTO cell_mappings (uuid, name, database_connection) VALUES "+values)
	_, err = a.Cells(t.Context())
	require.ErrorContains(t, err, "has more than 1000 rows")
}

func testZones(t *testing.T, server *testserver.SQL) {
	db := table(t, server, "zones", apiTables)
	a := openAPI(t, server.DSN("zones"))
	zones, err := a.Zones(t.Context())
	require.NoError(t, err)
	require.NotNil(t, zones, "there are no zones, which differs from nil")
	require.Empty(t, zones)

	exec(t, db, `INSERT INTO aggregates (id, name) VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd');
		INSERT INTO aggregate_metadata (aggregate_id, `+"`key`, `value`"+`) VALUES (1, 'availability_zone', 'zone-2'),
			(2, 'availability_zone', 'zone-1'), (2, 'ssd', 'true'), (3, 'ssd', 'true'), (4, 'availability_zone', 'zone-2');
		INSERT INTO aggregate_hosts (host, aggregate_id) VALUES ('one', 1), ('two', 1), ('two', 2), ('none', 3),
			('same', 1), ('same', 4), ('all', 1), ('all', 2), ('all', 3), ('all', 4), (NULL, 1)`)
	zones, err = a.Zones(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]string{
		"one": "zone-2", "two": "zone-1,zone-2", "same": "zone-2", "all": "zone-1,zone-2", "": "zone-2",
	}, zones)
}

// An account needs only the columns that are read. The message queue URLs are not among them.
func testAPIGrants(t *testing.T, server *testserver.SQL) {
	db := table(t, server, "grants", apiTables, apiRows)
	exec(t, db, "CREATE USER reader IDENTIFIED BY 'sesame'; GRANT SELECT (uuid) ON cell_mappings TO reader")
	a := openAPI(t, "mysql://reader:sesame@"+server.Addr()+"/grants")
	_, err := a.Cells(t.Context())
	require.Equal(t, drivers.ReasonAuth, drivers.ReasonOf(err))
	require.ErrorContains(t, err, "(the user needs GRANT SELECT on the table); or list the cells in the configuration")
	require.NotContains(t, err.Error(), "sesame")
	_, err = a.Zones(t.Context())
	require.Equal(t, drivers.ReasonAuth, drivers.ReasonOf(err))
	require.ErrorContains(t, err, "reading aggregates of "+server.Addr()+"/grants: ")

	exec(t, db, `GRANT SELECT (uuid, name, database_connection) ON cell_mappings TO reader;
		GRANT SELECT (aggregate_id, host) ON aggregate_hosts TO reader;
		GRANT SELECT (aggregate_id, `+"`key`, `value`"+`) ON aggregate_metadata TO reader`)
	cells, err := a.Cells(t.Context())
	require.NoError(t, err)
	require.Len(t, cells, 2)
	zones, err := a.Zones(t.Context())
	require.NoError(t, err)
	require.Len(t, zones, 8)
}

func testAPIFaults(t *testing.T, server *testserver.SQL) {
	server.Open(t, "bare")
	a := openAPI(t, server.DSN("bare"))
	for what, read := range map[string]func() error{
		"cell_mappings": func() error { _, err := a.Cells(t.Context()); return err },
		"aggregates":    func() error { _, err := a.Zones(t.Context()); return err },
	} {
		err := read()
		require.Equal(t, drivers.ReasonSchema, drivers.ReasonOf(err))
		require.ErrorContains(t, err, "reading "+what+" of "+server.Addr()+"/bare")
		require.ErrorContains(t, err, "is this the right database?")
	}

	cfg := config(server.DSN("bare"))
	cfg.Timeout = drivers.Duration(300 * time.Millisecond)
	frozen, err := OpenAPI(cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	server.Freeze()
	_, err = frozen.Cells(t.Context()) // Only the driver's timeout ends it.
	server.Thaw()
	require.Equal(t, drivers.ReasonTimeout, drivers.ReasonOf(err))
	require.NoError(t, frozen.Close())
	_, err = frozen.Zones(t.Context())
	require.ErrorContains(t, err, "the driver is closed")

	_, err = OpenAPI(config(""), slog.New(slog.DiscardHandler))
	require.Equal(t, "dsn", drivers.FieldOf(err).Field)
}
