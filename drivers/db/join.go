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

// maxName is how many characters Nova's columns hold.
const maxName = 255

// Join makes a row, unless there is a live one already, sends the first heartbeat, and goes on at the report interval. As
// with Nova's own services several processes may be one member: none is ever refused for another, but by a row of this
// name that belongs to another binary.
func (d *Driver) Join(ctx context.Context, req drivers.JoinRequest) (drivers.Membership, error) {
	if d.schema.writer == nil {
		return nil, d.readOnly()
	}
	if req.Binary == "" {
		req.Binary = d.store.binary(d.schema, req.Group)
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

// readOnly is the error for a table that only its service can write to in a way that makes sense.
func (d *Driver) readOnly() error {
	return fmt.Errorf("schema %s is read only: members join through the service itself", d.cfg.Schema)
}

// check refuses names that the table could not keep as they are, and binaries that readers leave out.
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
	if slices.Contains(d.schema.silent, req.Binary) {
		return fmt.Errorf("the binary %s has rows for another reason than life", req.Binary)
	}
	return nil
}

// enter writes the row and its first heartbeat, and goes on with those.
func (d *Driver) enter(ctx context.Context, req drivers.JoinRequest) (drivers.Membership, error) {
	db, err := d.store.writer(ctx, true)
	if err != nil {
		return nil, err
	}
	l, _, err := d.layout(ctx, db)
	if err != nil {
		return nil, err
	}
	id, err := d.findOrMake(ctx, db, l, req)
	if err != nil {
		return nil, err
	}
	p := &presence{driver: d, id: id, group: req.Group, name: req.Name}
	found, err := p.write(ctx, d.heartbeatOf)
	if err == nil && !found {
		err = p.removed() // in the moment since
	}
	if err != nil {
		return nil, err
	}
	return d.keeper.Keep(p, d.logger.With("group", req.Group, "member", req.Name))
}

// findOrMake returns the id of the member's live row.
func (d *Driver) findOrMake(ctx context.Context, db *sql.DB, l *layout, req drivers.JoinRequest) (int64, error) {
	id, err := d.find(ctx, db, req)
	if !errors.Is(err, sql.ErrNoRows) {
		return id, err
	}
	refused := d.insert(ctx, db, l, req)
	if refused != nil && !d.store.isDuplicate(refused) {
		return 0, refused
	}
	// Of the row that was made, or of another process's that was faster, unless the name is taken in a way that the table's
	// unique keys don't allow twice.
	id, err = d.find(ctx, db, req)
	switch {
	case !errors.Is(err, sql.ErrNoRows):
		return id, err
	case refused == nil:
		return 0, fmt.Errorf("group %q, member %q in %s: %w", req.Group, req.Name, d.store, drivers.ErrRemoved)
	}
	return 0, fmt.Errorf("%w: %s has a row for %q with another binary in group %q, or with binary %q in another group",
		drivers.ErrNameTaken, d.store, req.Name, req.Group, req.Binary)
}

func (d *Driver) find(ctx context.Context, db *sql.DB, req drivers.JoinRequest) (id int64, err error) {
	q, s := d.store.quote, d.schema
	query := fmt.Sprintf("SELECT MAX(id) FROM %s WHERE %s = ? AND %s = ? AND %s = ? AND %s",
		q(s.table), q(s.name), q(s.group), q(s.binary), d.live(""))
	var found sql.NullInt64
	err = db.QueryRowContext(ctx, d.store.bind(query), req.Name, req.Group, req.Binary).Scan(&found)
	if err == nil && !found.Valid {
		err = sql.ErrNoRows
	}
	return found.Int64, err
}

// insert makes the row that Nova makes for a new service, with the columns that there are.
func (d *Driver) insert(ctx context.Context, db *sql.DB, l *layout, req drivers.JoinRequest) error {
	q, s, w := d.store.quote, d.schema, d.schema.writer
	columns := []string{q(s.name), q(s.group), q(s.binary), q(w.created), q(w.reportCount)}
	values := []string{"?", "?", "?", d.store.stamp(0), "0"}
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
	_, err := db.ExecContext(ctx, d.store.bind(fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)",
		q(s.table), strings.Join(columns, ", "), strings.Join(values, ", "))), args...)
	return err
}

// Leave deletes the member's row as Nova does, softly: deleted becomes the row's id, and all else stays as it was. A row of
// this program's own table is deleted for good.
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
		return fmt.Errorf("group %q, member %q in %s: %w", group, name, d.store, drivers.ErrNoMember)
	}
	return nil
}

func (d *Driver) remove(ctx context.Context, group, name string) (found bool, err error) {
	db, err := d.store.writer(ctx, false)
	if errors.Is(err, errNoStore) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	q, s := d.store.quote, d.schema
	return d.update(ctx, db, d.deletion(nil), fmt.Sprintf("%s = ? AND %s = ?", q(s.group), q(s.name)), group, name)
}
