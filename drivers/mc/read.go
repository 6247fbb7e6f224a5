package mc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
)

// batchSize is how many keys one request asks for. As SHA-1 they make a line of 40 kB, which every memcached accepts.
const batchSize = 1000

// An answer is what one server has in a poll.
type answer struct {
	err     error   // why the server could not be read
	replies []reply // in the order of the keys
	stats
	// emptied reports that the server lost its data so recently that members may not have written again since.
	emptied bool
}

// A reply is what one server has of one member.
type reply struct {
	storedBeat
	found   bool
	invalid bool // there is a value, but it is not a heartbeat
}

// replyOf parses an item, which is nil if the server has none.
func replyOf(item *memcache.Item, format keyFormat) reply {
	if item == nil {
		return reply{}
	}
	beat, err := format.parse(item)
	return reply{storedBeat: beat, found: err == nil, invalid: err != nil}
}

// readAll reads all servers concurrently.
func (d *Driver) readAll(ctx context.Context, keys []string) []answer {
	answers := make([]answer, len(d.servers))
	var wg sync.WaitGroup
	for i, s := range d.servers {
		wg.Go(func() { answers[i] = d.readServer(ctx, s, keys) })
	}
	wg.Wait()
	return answers
}

// readServer reads the keys from a server. If all heartbeats on it have stopped, it reads them again on a new connection. If
// that fails, the members are unknown: the old connection is not believed.
func (d *Driver) readServer(ctx context.Context, s *server, keys []string) answer {
	a := d.readKeys(ctx, s, keys)
	if a.err == nil && s.mustBeFresh(a.replies, time.Now(), d.cfg.DownTime()) {
		d.logger.Debug("All heartbeats on a memcached server have stopped; it is read on a new connection", "server", s.addr.String())
		s.renew()
		if a = d.readKeys(ctx, s, keys); a.err == nil {
			s.fresh.Confirm(newestBeat(a.replies, time.Now()))
		}
	}
	if !errors.Is(ctx.Err(), context.Canceled) { // A caller that gave up learned nothing about the server.
		a.emptied = s.record(a.err, a.stats, d.settling(), d.logger)
	}
	return a
}

// readKeys reads the keys from a server, and then asks for how long it has kept its data. In this order a server that
// loses its data in between is not trusted.
func (d *Driver) readKeys(ctx context.Context, s *server, keys []string) (a answer) {
	a.err = s.do(ctx, func(c *client) (err error) {
		a.replies = make([]reply, 0, len(keys))
		for batch := range slices.Chunk(keys, batchSize) {
			d.operations.Add(1)
			items, err := c.getMany(batch)
			if err != nil {
				return fmt.Errorf("reading %d keys: %w", len(batch), err)
			}
			for _, key := range batch {
				a.replies = append(a.replies, replyOf(items[key], d.format))
			}
		}
		d.operations.Add(1)
		a.stats, err = c.stats()
		return err
	})
	return a
}

// beatSlack is how late a heartbeat can be, plus how inexact a server's start time is: it is in whole seconds.
const beatSlack = 2 * time.Second

// settling is how long a server that lost its data must be running before a missing key proves a death: two report
// intervals, because the first heartbeat after a restart is lost. The clients of oslo.cache send it on the broken
// connection, and connect again only for the next heartbeat.
func (d *Driver) settling() time.Duration { return 2*time.Duration(d.cfg.ReportInterval) + beatSlack }
