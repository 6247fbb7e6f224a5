package mc

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"servicegroup_exporter/drivers"
)

// A presence is the heartbeat of a member that joined through this driver. It implements heartbeat.Writer.
type presence struct {
	driver  *Driver
	member  drivers.Key
	key     string
	entered []bool // the servers where the member has been announced, by number; only heartbeats use it
	logger  *slog.Logger
}

// Beat sends one heartbeat.
func (p *presence) Beat(ctx context.Context) error {
	removed, errs := p.write(ctx)
	if removed {
		// The note may have come to one server while another got the heartbeat.
		for _, err := range p.erase(ctx) {
			p.logger.Warn("a removed member's heartbeat stays until it is too old", "err", err)
		}
		return fmt.Errorf("group %q, member %q: %w", p.member.Group, p.member.Name, drivers.ErrRemoved)
	}
	if len(errs) > 0 {
		return p.driver.unavailable("writing", errs)
	}
	return nil
}

// write writes a heartbeat on all servers, unless one has a note that the member was removed. Such a note from before it
// joined is deleted on the first occasion.
func (p *presence) write(ctx context.Context) (removed bool, errs []error) {
	d, left := p.driver, leftKey(p.member)
	heartbeat := d.how.heartbeat(p.key, time.Now(), d.cfg.downTime())
	var noted atomic.Bool
	errs = d.each(ctx, func(i int, l *link) error {
		if !p.entered[i] {
			if err := l.remove(left); err != nil {
				return err
			}
			p.entered[i] = true
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
func (p *presence) erase(ctx context.Context) []error {
	return p.driver.each(ctx, func(_ int, l *link) error { return l.remove(p.key) })
}

// Leave deletes the last heartbeat. Whether the member is still expected is the roster's word.
func (p *presence) Leave(ctx context.Context) error {
	return p.conclude(ctx, "leaving", p.erase)
}

// Die makes the last heartbeat too old. The time of the death is not kept: there is no place for it, and readers know the
// heartbeats before.
func (p *presence) Die(ctx context.Context, _ time.Time) error {
	return p.conclude(ctx, "recording the death", func(ctx context.Context) []error {
		d := p.driver
		last := d.how.death(p.key, time.Now(), d.cfg.downTime())
		if last == nil {
			return p.erase(ctx)
		}
		return d.each(ctx, func(_ int, l *link) error { return l.Set(last) })
	})
}

// conclude writes the last word.
func (p *presence) conclude(ctx context.Context, doing string, last func(context.Context) []error) error {
	ctx, cancel := p.driver.bound(ctx)
	defer cancel()
	if errs := last(ctx); len(errs) > 0 {
		return p.driver.unavailable(fmt.Sprintf("group %q, member %q: %s", p.member.Group, p.member.Name, doing), errs)
	}
	return nil
}
