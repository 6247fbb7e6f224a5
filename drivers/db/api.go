package db

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"servicegroup_exporter/drivers"
)

// maxCells is the largest number of cells that is accepted. Large clouds have dozens.
const maxCells = 1000

// A Cell is one of Nova's cells: a database with services of its own.
type Cell struct {
	// Name is the operator's name for it.
	Name string
	// DSN is its database. As in Nova it may be a template with placeholders for parts of another DSN.
	DSN drivers.Secret
}

// API reads Nova's API database, which has what the cells' databases do not: the list of cells, and the availability zones
// of hosts. It writes nothing.
type API struct{ driver *Driver }

// OpenAPI returns a reader of the database that cfg names. It does not connect.
func OpenAPI(cfg Config, logger *slog.Logger) (*API, error) {
	d, err := Open(cfg, logger)
	if err != nil {
		return nil, err
	}
	return &API{d}, nil
}

// Close ends queries under way and closes all connections.
func (a *API) Close() error { return a.driver.Close() }

// Counts returns the requests to the database so far.
func (a *API) Counts() drivers.Counts { return a.driver.Counts() }

// Cells returns all cells, including disabled ones and cell0, as Nova's os-services does. A cell without a name of its own
// is named by its uuid. The cells' message queue URLs are never read. Cells returns an error if Nova has no cells.
func (a *API) Cells(ctx context.Context) ([]Cell, error) {
	q := a.driver.database.quote
	query := fmt.Sprintf("%s, %s, %s FROM %s ORDER BY %[1]s LIMIT %[5]d",
		q("uuid"), q("name"), q("database_connection"), q("cell_mappings"), maxCells+1)
	var cells []Cell
	var uuids []string
	begin := func() { cells, uuids = nil, nil }
	err := a.query(ctx, "cell_mappings", query, begin, func(rows *sql.Rows) error {
		var uuid string
		var name, dsn sql.NullString
		if err := rows.Scan(&uuid, &name, &dsn); err != nil {
			return err
		}
		cells, uuids = append(cells, Cell{name.String, drivers.SecretText(dsn.String)}), append(uuids, uuid)
		return nil
	})
	switch {
	case err != nil && drivers.ReasonOf(err) == drivers.ReasonAuth:
		return nil, drivers.Unavailable(drivers.ReasonAuth, fmt.Errorf("%w; or list the cells in the configuration", err))
	case err != nil:
		return nil, err
	case len(cells) == 0:
		return nil, a.invalid("has no rows: this Nova has no cells; its services are in [database] connection")
	case len(cells) > maxCells:
		return nil, a.invalid(fmt.Sprintf("has more than %d rows", maxCells))
	}
	return withUniqueNames(cells, uuids), nil
}

func (a *API) invalid(what string) error {
	return drivers.Unavailable(drivers.ReasonSchema, fmt.Errorf("cell_mappings of %s %s", a.driver.database, what))
}

// withUniqueNames sets the names of cells whose names can't be used, or are not unique, to their uuids.
func withUniqueNames(cells []Cell, uuids []string) []Cell {
	times := map[string]int{}
	for _, c := range cells {
		times[c.Name]++
	}
	for i := range cells {
		if c := &cells[i]; times[c.Name] > 1 || !isCellName(c.Name) {
			c.Name = uuids[i]
		}
	}
	return cells
}

// isCellName reports whether a name can be part of a source's name: it has letters, digits and signs, and no spaces.
func isCellName(name string) bool {
	return name != "" && utf8.ValidString(name) && !strings.ContainsFunc(name, func(r rune) bool {
		return !unicode.IsGraphic(r) || unicode.IsSpace(r)
	})
}

// Zones returns the availability zone of every host that is in an aggregate with a zone, by the rule of
// nova/availability_zones.py: the zones of all the host's aggregates, joined with commas. They are sorted, so that the text
// does not change from poll to poll.
func (a *API) Zones(ctx context.Context) (map[string]string, error) {
	q := a.driver.database.quote
	query := fmt.Sprintf("h.%s, m.%s FROM %s AS h JOIN %s AS m ON m.%[5]s = h.%[5]s WHERE m.%[6]s = 'availability_zone'",
		q("host"), q("value"), q("aggregate_hosts"), q("aggregate_metadata"), q("aggregate_id"), q("key"))
	zones := map[string][]string{}
	err := a.query(ctx, "aggregates", query, func() { clear(zones) }, func(rows *sql.Rows) error {
		var host, zone text
		if err := rows.Scan(&host, &zone); err != nil {
			return err
		}
		if !slices.Contains(zones[host.s], zone.s) {
			zones[host.s] = append(zones[host.s], zone.s)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	joined := make(map[string]string, len(zones))
	for host, zones := range zones {
		slices.Sort(zones)
		joined[host] = strings.Join(zones, ",")
	}
	return joined, nil
}

// query runs a query, given without its SELECT, and calls row for each row, and begin before the first. If the query is run
// again on another connection, it begins again.
func (a *API) query(ctx context.Context, what, query string, begin func(), row func(*sql.Rows) error) error {
	ctx, cancel := a.driver.bound(ctx)
	defer cancel()
	failed := func(err error) error { return a.driver.failed(ctx, "reading "+what+" of", err) }
	limit := time.Duration(a.driver.cfg.Timeout)
	if deadline, ok := ctx.Deadline(); ok {
		limit = time.Until(deadline)
	}
	err := a.driver.do(ctx, a.driver.database.reader, func(conn *sql.Conn) error {
		begin()
		a.driver.operations.Add(1)
		return a.driver.database.query(ctx, conn, limit, query, row)
	})
	if err != nil {
		return failed(err)
	}
	return nil
}
