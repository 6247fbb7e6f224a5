package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"servicegroup_exporter/drivers"
)

// maxName is how many characters Nova's columns can store.
const maxName = 255

// Join inserts a row, unless there is one that is not deleted, and sends a heartbeat now and every report interval. As with
// Nova's own services several processes may have the same name. A name is refused only if it has a row with another binary.
func (d *Driver) Join(ctx context.Context, req drivers.JoinRequest) (drivers.Membership, error) {
	if d.schema.writer == nil {
		return nil, d.readOnly()
	}
	if req.Binary == "" {
		req.Binary = d.database.binary(d.schema, req.Group)
	}
	if err := d.check(req); err != nil {
		return nil, fmt.Errorf("joining group %q as %q: %w", req.Group, req.Name, err)
	}
	bounded, cancel := d.bound(ctx)
	defer cancel()
	m, err := d.enter(bounded, req)
	switch {
	case err == nil:
		return m, nil
	case errors.Is(err, drivers.ErrNameTaken), errors.Is(err, drivers.ErrRemoved):
		return nil, err
	}
	return nil, d.failedToWrite(bounded, fmt.Sprintf("joining group %q as %q in", req.Group, req.Name), err)
}

// readOnly returns the error for a schema whose rows only the service itself can write.
func (d *Driver) readOnly() error {
	return fmt.Errorf("schema %s is read-only: only the service itself can add and remove members", d.cfg.Schema)
}

// check refuses names that the table can't store unchanged, and binaries whose rows Members leaves out.
func (d *Driver) check(req drivers.JoinRequest) error {
	for _, f := range []struct{ what, value string }{
		{"group", req.Group}, {"name", req.Name}, {"binary", req.Binary},
	} {
		switch {
		case f.value == "":
			return fmt.Errorf("the %s is empty", f.what)
		case !utf8.ValidString(f.value) || strings.ContainsRune(f.value, 0):
			return fmt.Errorf("the %s is not UTF-8 text", f.what)
		case utf8.RuneCountInString(f.value) > maxName:
			return fmt.Errorf("the %s has more than %d characters", f.what, maxName)
		}
	}
	if slices.Contains(d.schema.withoutHeartbeat, req.Binary) {
		return fmt.Errorf("the rows of binary %s never have heartbeats", req.Binary)
	}
	return nil
}

// enter writes the row and its first heartbeat, and starts the regular heartbeats.
func (d *Driver) enter(ctx context.Context, req drivers.JoinRequest) (drivers.Membership, error) {
	p := &joinedRow{driver: d, group: req.Group, name: req.Name}
	create := func(ctx context.Context) (*sql.DB, error) { return d.database.writer(ctx, true) }
	err := d.do(ctx, create, func(conn *sql.Conn) error {
		l, _, err := d.layout(ctx, conn)
		if err == nil {
			p.id, err = d.findOrInsert(ctx, conn, l, req)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	found, err := p.write(ctx, d.setHeartbeat)
	if err == nil && !found {
		err = p.removed() // since findOrInsert
	}
	if err != nil {
		return nil, err
	}
	return d.keeper.Keep(p, d.logger.With("group", req.Group, "member", req.Name))
}

// findOrInsert returns the id of the member's row.
func (d *Driver) findOrInsert(ctx context.Context, conn *sql.Conn, l *layout, req drivers.JoinRequest) (int64, error) {
	id, err := d.find(ctx, conn, req)
	if !errors.Is(err, sql.ErrNoRows) {
		return id, err
	}
	refused := d.insert(ctx, conn, l, req)
	if refused != nil && !d.database.isDuplicate(refused) {
		return 0, refused
	}
	// Now there is the new row, or one that another process inserted first, unless the table's unique keys refuse the name
	// because of a row with another binary or group.
	id, err = d.find(ctx, conn, req)
	switch {
	case !errors.Is(err, sql.ErrNoRows):
		return id, err
	case refused == nil:
		return 0, fmt.Errorf("group %q, member %q in %s: %w", req.Group, req.Name, d.database, drivers.ErrRemoved)
	}
	return 0, fmt.Errorf("%w: %s has a row for %q with another binary in group %q, or with binary %q in another group",
		drivers.ErrNameTaken, d.database, req.Name, req.Group, req.Binary)
}

func (d *Driver) find(ctx context.Context, conn *sql.Conn, req drivers.JoinRequest) (id int64, err error) {
	q, s := d.database.quote, d.schema
	query := fmt.Sprintf("SELECT MAX(id) FROM %s WHERE %s = ? AND %s = ? AND %s = ? AND %s",
		q(s.table), q(s.name), q(s.group), q(s.binary), d.notDeleted(""))
	var found sql.NullInt64
	err = conn.QueryRowContext(ctx, d.database.bind(query), req.Name, req.Group, req.Binary).Scan(&found)
	if err == nil && !found.Valid {
		err = sql.ErrNoRows
	}
	return found.Int64, err
}

// insert inserts the row that Nova inserts for a new service, with the columns that the release has.
func (d *Driver) insert(ctx context.Context, conn *sql.Conn, l *layout, req drivers.JoinRequest) error {
	q, s, w := d.database.quote, d.schema, d.schema.writer
	columns := []string{q(s.name), q(s.group), q(s.binary), q(w.created), q(d.schema.reportCount)}
	values := []string{"?", "?", "?", d.database.stamp(0), "0"}
	args := []any{req.Name, req.Group, req.Binary}
	if s.deletion == deletedIsID {
		columns, values = append(columns, q(s.disabled), q(s.deleted)), append(values, "FALSE", "0")
	}
	if l.has(s.forcedDown) {
		columns, values = append(columns, q(s.forcedDown)), append(values, "FALSE")
	}
	if l.has(s.uuid) {
		columns, values = append(columns, q(s.uuid)), append(values, "?")
		args = append(args, uuid.NewString())
	}
	_, err := conn.ExecContext(ctx, d.database.bind(fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)",
		q(s.table), strings.Join(columns, ", "), strings.Join(values, ", "))), args...)
	return err
}

// Leave deletes the member's row as Nova does, softly: the column deleted becomes the row's id, and the rest stays. From the
// canaries' own table the row is removed.
func (d *Driver) Leave(ctx context.Context, group, name string) error {
	if d.schema.writer == nil {
		return d.readOnly()
	}
	ctx, cancel := d.bound(ctx)
	defer cancel()
	found, err := d.remove(ctx, group, name)
	if err != nil {
		return d.failedToWrite(ctx, fmt.Sprintf("removing %q from group %q in", name, group), err)
	}
	if !found {
		return fmt.Errorf("group %q, member %q in %s: %w", group, name, d.database, drivers.ErrNoMember)
	}
	return nil
}

func (d *Driver) remove(ctx context.Context, group, name string) (found bool, err error) {
	q, s := d.database.quote, d.schema
	err = d.do(ctx, d.toWrite, func(conn *sql.Conn) error {
		found, err = d.update(ctx, conn, d.setDeleted(nil), fmt.Sprintf("%s = ? AND %s = ?", q(s.group), q(s.name)), group, name)
		return err
	})
	if errors.Is(err, errNoFile) {
		return false, nil
	}
	return found, err
}
