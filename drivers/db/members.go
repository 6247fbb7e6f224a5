package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"servicegroup_exporter/drivers"
)

// Members reads the table and the database's clock in one query. A member's LastHeartbeat is the time that decided the
// verdict, which for a member that never sent a heartbeat is when its row was inserted. Rostered is always true. The caller
// must not modify the poll: the next one reads it.
//
// Rows that are deleted are left out, and so are rows that never have heartbeats, such as the rows of Nova's APIs. A row that
// can't be used is rejected: as "name" if its host or topic is missing or not UTF-8, as "data" if it has no time or a column
// with a value of the wrong type, as "duplicate" if another row of the same name has a newer heartbeat, which tables before
// 2013.2 allow.
func (d *Driver) Members(ctx context.Context) (*drivers.Poll, error) {
	ctx, cancel := d.bound(ctx)
	defer cancel()
	poll, err := d.readFresh(ctx)
	if errors.Is(err, errNoFile) && ctx.Err() == nil {
		return d.emptyPoll(), nil
	}
	if err != nil {
		return nil, d.failed(ctx, "reading "+d.schema.table+" of", err)
	}
	d.lastPoll.Store(poll)
	return poll, nil
}

// emptyPoll returns the poll of an SQLite file that does not exist yet. Its clock is this machine's.
func (d *Driver) emptyPoll() *drivers.Poll {
	return &drivers.Poll{
		Now: time.Now().UTC(), DownTime: d.downTime, Backend: "SQLite",
		Problems: []drivers.Problem{{
			Kind: drivers.ProblemAbsent,
			Detail: fmt.Sprintf("The SQLite file %s does not exist, so that there are no members. Correct its path, or join the first "+
				"member, which creates the file.", d.database),
		}},
	}
}

// readTable reads the table. If that fails because the columns or the grants changed, or succeeds although the account could
// see no columns before, it reads the layout again and retries.
func (d *Driver) readTable(ctx context.Context, conn *sql.Conn) (*drivers.Poll, error) {
	l, fresh, err := d.layout(ctx, conn)
	if err != nil {
		return nil, err
	}
	poll, err := d.queryMembers(ctx, conn, l)
	if err == nil && len(l.columns) > 0 || err != nil && fresh {
		return poll, err
	}
	if err != nil {
		if reason, _ := d.database.classify(err); reason != drivers.ReasonSchema && reason != drivers.ReasonAuth {
			return nil, err
		}
	}
	d.lastLayout.Store(nil)
	if l, _, err = d.layout(ctx, conn); err != nil {
		return nil, err
	}
	return d.queryMembers(ctx, conn, l)
}

// queryMembers runs the query of a poll.
func (d *Driver) queryMembers(ctx context.Context, conn *sql.Conn, l *layout) (*drivers.Poll, error) {
	limit := time.Duration(d.cfg.Timeout)
	if deadline, ok := ctx.Deadline(); ok {
		limit = time.Until(deadline)
	}
	d.operations.Add(1)
	b := newBuilder(d.lastPoll.Load(), d.downTime, l)
	var r row
	err := d.database.query(ctx, conn, limit, l.query, func(rows *sql.Rows) error {
		b.prepare(&r)
		if err := rows.Scan(r.columns()...); err != nil {
			return err
		}
		b.add(&r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return b.poll, d.addProblems(ctx, conn, b)
}
