package db

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"servicegroup_exporter/drivers"
)

// services returns the names of OpenStack's services, with which the names of their binaries begin. Several have tables of the same
// names: services belongs to Nova, Cinder, Manila, Karbor or Watcher, service to Heat or Senlin.
func services() []string {
	return []string{
		"nova", "cinder", "manila", "heat", "neutron", "magnum", "karbor", "senlin", "watcher", "zun", "masakari", "designate", "ironic",
		"octavia", "trove", "sahara", "mistral", "murano", "blazar", "cyborg", "freezer", "glance", "barbican",
	}
}

// An owner is whose rows a poll has read.
type owner struct {
	own     bool   // a row has a binary of the schema's service
	foreign string // the binary of another service in the first row that has one
}

func (o *owner) note(s *schema, r *row) {
	if s.binaries == "" || o.own || r.binary.s == o.foreign {
		return
	}
	o.own = strings.HasPrefix(r.binary.s, s.binaries)
	if !o.own && o.foreign == "" && serviceOf(r.binary.s) != "" {
		o.foreign = r.binary.s
	}
}

// serviceOf returns the service whose binary it is, empty if that is not known.
func serviceOf(binary string) string {
	for _, name := range services() {
		if strings.HasPrefix(binary, name+"-") {
			return name
		}
	}
	return ""
}

// addProblems adds what is probably not as it was meant to a poll.
func (d *Driver) addProblems(ctx context.Context, conn *sql.Conn, b *builder) error {
	add := func(kind drivers.ProblemKind, format string, args ...any) {
		b.poll.Problems = append(b.poll.Problems, drivers.Problem{Kind: kind, Detail: fmt.Sprintf(format, args...)})
	}
	if o := &b.owner; !o.own && o.foreign != "" && !d.isEmbedded() {
		add(drivers.ProblemForeign, "The rows of %s of %s belong to %s and not to %s: one has the binary %s. Correct schema, or the database in dsn.",
			d.schema.table, d.database, serviceOf(o.foreign), d.cfg.Schema, o.foreign)
	}
	if len(b.poll.Members)+len(b.poll.Rejected) > 0 {
		return nil
	}
	if d.cfg.Schema == "nova" && !d.cfg.IsCell && strings.HasSuffix(d.database.String(), "cell0") {
		add(drivers.ProblemUnmatched, "The table %s of %s is empty, as that of Nova's cell0 always is. Set dsn to the database of a cell "+
			"with services, or set nova_conf, which finds all cells.", d.schema.table, d.database)
	}
	if d.cfg.Schema != custom || d.cfg.private {
		return nil // Rows of other services may all be deleted, or never have heartbeats.
	}
	has, err := d.hasRows(ctx, conn)
	if has {
		add(drivers.ProblemUnmatched, "The table %s of %s has rows, but none of them is a member: all are marked as deleted, or have no name. "+
			"Correct custom.deleted, custom.deleted_kind or custom.name.", d.schema.table, d.database)
	}
	return err
}

// isEmbedded reports whether the rows are those that join has made in an SQLite file: there each group's name is the binary.
func (d *Driver) isEmbedded() bool {
	_, is := d.database.(*sqliteDatabase)
	return is && d.schema.writer != nil
}

// hasRows reports whether the table has rows, deleted or not.
func (d *Driver) hasRows(ctx context.Context, conn *sql.Conn) (has bool, err error) {
	d.operations.Add(1)
	rows, err := conn.QueryContext(ctx, "SELECT 1 FROM "+d.database.quote(d.schema.table)+" LIMIT 1")
	if err != nil {
		return false, err
	}
	err = forEachRow(rows, func(*sql.Rows) error {
		has = true
		return nil
	})
	return has, err
}
