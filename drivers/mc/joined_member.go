package mc

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"servicegroup_exporter/drivers"
)

// A joinedMember writes the heartbeats of a member that joined through this driver. It implements heartbeat.Writer.
type joinedMember struct {
	driver    *Driver
	member    drivers.Key
	key       string
	announced []bool // by server: whether a note from before the member joined was deleted
	logger    *slog.Logger
}

// Beat sends one heartbeat.
func (m *joinedMember) Beat(ctx context.Context) error {
	removed, errs := m.write(ctx)
	if removed {
		// One server may have got the heartbeat after another had the note.
		for _, err := range m.erase(ctx) {
			m.logger.Warn("A removed member's heartbeat could not be deleted; the member looks up until the heartbeat is too old",
				"err", err)
		}
		return fmt.Errorf("group %q, member %q: %w", m.member.Group, m.member.Name, drivers.ErrRemoved)
	}
	if len(errs) > 0 {
		return m.driver.unavailable("writing", errs)
	}
	return nil
}

// write writes a heartbeat to all servers, except to those with a note that the member was removed. A note from before
// the member joined is deleted by the first write that reaches the server.
func (m *joinedMember) write(ctx context.Context) (removed bool, errs []error) {
	d, noteKey := m.driver, leftKey(m.member)
	beat := d.format.alive(m.key, time.Now(), d.cfg.DownTime())
	var noted atomic.Bool
	errs = d.onAll(ctx, func(i int, c *client) error {
		if !m.announced[i] {
			if err := c.remove(noteKey); err != nil {
				return err
			}
			m.announced[i] = true
		}
		note, err := c.get(noteKey)
		if err != nil {
			return err
		}
		if note != nil {
			noted.Store(true)
			return nil
		}
		return c.Set(beat)
	})
	return noted.Load(), errs
}

// erase deletes the heartbeat from all servers.
func (m *joinedMember) erase(ctx context.Context) []error {
	return m.driver.onAll(ctx, func(_ int, c *client) error { return c.remove(m.key) })
}

// Leave deletes the heartbeat. The member stays in the roster, which this driver does not write.
func (m *joinedMember) Leave(ctx context.Context) error {
	return m.writeLast(ctx, "leaving", m.erase)
}

// Die makes the last heartbeat too old. The time of the death is not stored: the format has no field for it.
func (m *joinedMember) Die(ctx context.Context, _ time.Time) error {
	return m.writeLast(ctx, "recording the death", func(ctx context.Context) []error {
		d := m.driver
		last := d.format.dead(m.key, time.Now(), d.cfg.DownTime())
		if last == nil {
			return m.erase(ctx)
		}
		return d.onAll(ctx, func(_ int, c *client) error { return c.Set(last) })
	})
}

// writeLast writes the end of the membership.
func (m *joinedMember) writeLast(ctx context.Context, doing string, write func(context.Context) []error) error {
	ctx, cancel := drivers.WithLife(ctx, m.driver.life)
	defer cancel()
	if errs := write(ctx); len(errs) > 0 {
		return m.driver.unavailable(fmt.Sprintf("group %q, member %q: %s", m.member.Group, m.member.Name, doing), errs)
	}
	return nil
}
