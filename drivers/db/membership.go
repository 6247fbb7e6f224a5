package db

import (
	"context"
	"fmt"
	"sync"
	"time"

	"servicegroup_exporter/drivers"
)

// A membership is one row that this process keeps alive.
type membership struct {
	driver *Driver
	id     int64
	group  string
	name   string

	life    context.Context // of the heartbeats; ends with the driver's
	kill    context.CancelFunc
	quit    chan struct{} // closed to end the heartbeats after the one under way
	stopped chan struct{} // closed when they have ended
	once    sync.Once     // for whichever of Leave, Die and Abandon comes first

	done chan struct{}
	err  error // set before done is closed

	failing bool // the last heartbeat failed, and was logged
}

func newMembership(d *Driver, id int64, req drivers.JoinRequest) *membership {
	return &membership{
		driver: d, id: id, group: req.Group, name: req.Name,
		quit: make(chan struct{}), stopped: make(chan struct{}), done: make(chan struct{}),
	}
}

// start begins the heartbeats, which the driver waits for when it is closed. It says whether the driver is still open.
func (m *membership) start() bool {
	m.driver.mu.Lock()
	defer m.driver.mu.Unlock()
	if m.driver.closed {
		return false
	}
	m.life, m.kill = context.WithCancel(m.driver.life)
	m.driver.beats.Go(m.run)
	return true
}

// run sends heartbeats until the membership ends.
func (m *membership) run() {
	defer close(m.stopped)
	defer m.kill()
	ticker := time.NewTicker(time.Duration(m.driver.cfg.ReportInterval))
	defer ticker.Stop()
	for {
		select {
		case <-m.quit:
			return
		case <-m.life.Done():
			return
		case <-ticker.C:
		}
		if !m.beat() {
			m.err = m.removed()
			close(m.done)
			return
		}
	}
}

// removed is the error for a row that is gone.
func (m *membership) removed() error {
	return fmt.Errorf("group %q, member %q in %s: %w", m.group, m.name, m.driver.store, drivers.ErrRemoved)
}

// beat sends one heartbeat. It says false when the row is gone. A failure is no reason to end: the next one may pass.
func (m *membership) beat() bool {
	ctx, cancel := m.driver.bound(m.life)
	defer cancel()
	found, err := m.write(ctx, m.driver.heartbeatOf)
	if m.life.Err() != nil {
		return true // It was ended, not answered.
	}
	logger := m.driver.logger.With("group", m.group, "member", m.name)
	switch {
	case err != nil && !m.failing:
		logger.Warn("heartbeats fail", "err", m.driver.failedToWrite(ctx, "writing to", err))
	case err == nil && m.failing:
		logger.Info("heartbeats pass again")
	}
	m.failing = err != nil
	return found || err != nil
}

// write updates the member's own row and says whether it was there. The name is compared too, in case the whole table
// was replaced meanwhile.
func (m *membership) write(ctx context.Context, set func(*layout) string) (found bool, err error) {
	d := m.driver
	db, err := d.store.writer(ctx, false)
	if err != nil {
		return false, err
	}
	l, _, err := d.layout(ctx, db)
	if err != nil {
		return false, err
	}
	q, s := d.store.quote, d.schema
	where := fmt.Sprintf("id = ? AND %s = ? AND %s = ?", q(s.group), q(s.name))
	return d.update(ctx, db, set(l), where, m.id, m.group, m.name)
}

// Leave ends the heartbeats and deletes the row as Nova does. A row that is gone already is no error.
func (m *membership) Leave(ctx context.Context) error {
	return m.end(ctx, "leaving", m.driver.deletion)
}

// Die ends the heartbeats and sets the last one back so far that every reader calls the member down at once. The time at
// which it died is not kept: the table has no place for it, and readers know the heartbeats before.
func (m *membership) Die(ctx context.Context, _ time.Time) error {
	return m.end(ctx, "recording the death in", m.driver.death)
}

// end ends the heartbeats, if nothing else has done so, and then writes the last word.
func (m *membership) end(ctx context.Context, doing string, set func(*layout) string) (err error) {
	m.once.Do(func() {
		// A heartbeat under way must not arrive after the last word: it is waited for.
		close(m.quit)
		select {
		case <-m.stopped:
		case <-ctx.Done():
			m.kill()
			<-m.stopped
		}
		ctx, cancel := m.driver.bound(ctx)
		defer cancel()
		if _, e := m.write(ctx, set); e != nil {
			err = m.driver.failedToWrite(ctx, fmt.Sprintf("group %q, member %q: %s", m.group, m.name, doing), e)
		}
	})
	return err
}

// Abandon ends the heartbeats and writes nothing.
func (m *membership) Abandon() {
	m.once.Do(func() {
		m.kill()
		<-m.stopped
	})
}

// Done is closed when the row was deleted by somebody else.
func (m *membership) Done() <-chan struct{} { return m.done }

// Err is why the membership has ended, once Done is closed.
func (m *membership) Err() error {
	select {
	case <-m.done:
		return m.err
	default:
		return nil
	}
}
