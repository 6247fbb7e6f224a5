package mc

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"servicegroup_exporter/drivers"
)

// A membership is one member that this process keeps alive.
type membership struct {
	driver  *Driver
	member  drivers.Key
	key     string
	entered []bool // the servers where the member has been announced, by number; only heartbeats use it

	life    context.Context // of the heartbeats; ends with the driver's
	kill    context.CancelFunc
	quit    chan struct{} // closed to end the heartbeats after the one under way
	stopped chan struct{} // closed when they have ended
	once    sync.Once     // for whichever of Leave, Die and Abandon comes first

	done chan struct{}
	err  error // set before done is closed

	failing bool // the last heartbeat failed somewhere, and that was logged
}

func newMembership(d *Driver, member drivers.Key, key string) *membership {
	return &membership{
		driver: d, member: member, key: key, entered: make([]bool, len(d.servers)),
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
			m.err = fmt.Errorf("group %q, member %q: %w", m.member.Group, m.member.Name, drivers.ErrRemoved)
			close(m.done)
			return
		}
	}
}

// beat sends one heartbeat. It says false when the member was removed. A failure is no reason to end: the next one may
// pass.
func (m *membership) beat() bool {
	removed, errs := m.write(m.life)
	if m.life.Err() != nil {
		return true // It was ended, not answered.
	}
	logger := m.driver.logger.With("group", m.member.Group, "member", m.member.Name)
	switch {
	case len(errs) > 0 && !m.failing:
		logger.Warn("heartbeats fail", "err", m.driver.unavailable("writing", errs))
	case len(errs) == 0 && m.failing:
		logger.Info("heartbeats pass again")
	}
	m.failing = len(errs) > 0
	if removed {
		// The note may have come to one server while another got the heartbeat.
		for _, err := range m.erase(m.life) {
			logger.Warn("a removed member's heartbeat stays until it is too old", "err", err)
		}
	}
	return !removed
}

// write writes a heartbeat on all servers, unless one has a note that the member was removed. Such a note from before it
// joined is deleted on the first occasion.
func (m *membership) write(ctx context.Context) (removed bool, errs []error) {
	d, left := m.driver, leftKey(m.member)
	heartbeat := d.how.heartbeat(m.key, time.Now(), d.cfg.downTime())
	var noted atomic.Bool
	errs = d.each(ctx, func(i int, l *link) error {
		if !m.entered[i] {
			if err := l.remove(left); err != nil {
				return err
			}
			m.entered[i] = true
		}
		note, err := l.get(left)
		if err != nil {
			return err
		}
		if note != nil {
			noted.Store(true)
			return nil
		}
		return l.Set(heartbeat)
	})
	return noted.Load(), errs
}

// erase deletes the heartbeat from all servers.
func (m *membership) erase(ctx context.Context) []error {
	return m.driver.each(ctx, func(_ int, l *link) error { return l.remove(m.key) })
}

// Leave ends the heartbeats and deletes the last one. Whether the member is still expected is the roster's word.
func (m *membership) Leave(ctx context.Context) error {
	return m.end(ctx, "leaving", m.erase)
}

// Die ends the heartbeats and makes the last one so old that every reader calls the member down at once. The time at
// which it died is not kept: there is no place for it, and readers know the heartbeats before.
func (m *membership) Die(ctx context.Context, _ time.Time) error {
	return m.end(ctx, "recording the death", func(ctx context.Context) []error {
		d := m.driver
		last := d.how.death(m.key, time.Now(), d.cfg.downTime())
		if last == nil {
			return m.erase(ctx)
		}
		return d.each(ctx, func(_ int, l *link) error { return l.Set(last) })
	})
}

// end ends the heartbeats, if nothing else has done so, and then writes the last word.
func (m *membership) end(ctx context.Context, doing string, last func(context.Context) []error) (err error) {
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
		if errs := last(ctx); len(errs) > 0 {
			err = m.driver.unavailable(fmt.Sprintf("group %q, member %q: %s", m.member.Group, m.member.Name, doing), errs)
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

// Done is closed when the member was removed by somebody else.
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
