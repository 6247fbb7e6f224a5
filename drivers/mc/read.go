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

// batch is how many keys are asked for at once. Hashed, they make a line of 40 kB, which every memcached takes.
const batch = 1000

// An answer is what one server said in a poll.
type answer struct {
	err   error  // why it said nothing
	words []word // in the order of the keys
	stats
	// blank says that the server has not remembered for long: it can have forgotten members that have not had the time
	// to write again.
	blank bool
}

// A word is what one server has of one member.
type word struct {
	sighting
	there bool
	odd   bool // what is there is no heartbeat
}

// wordOf reads an item, nil if there is none.
func wordOf(item *memcache.Item, how scheme) word {
	if item == nil {
		return word{}
	}
	s, err := how.see(item)
	return word{sighting: s, there: err == nil, odd: err != nil}
}

// askAll asks all servers side by side.
func (d *Driver) askAll(ctx context.Context, keys []string) []answer {
	answers := make([]answer, len(d.servers))
	var wg sync.WaitGroup
	for i, s := range d.servers {
		wg.Go(func() { answers[i] = d.ask(ctx, s, keys) })
	}
	wg.Wait()
	return answers
}

// ask reads the keys that a server has, and then asks it for how long it has remembered: in this order, a server that
// forgets in between is never believed.
func (d *Driver) ask(ctx context.Context, s *server, keys []string) (a answer) {
	a.err = s.do(ctx, func(l *link) (err error) {
		a.words = make([]word, 0, len(keys))
		for part := range slices.Chunk(keys, batch) {
			d.operations.Add(1)
			items, err := l.getMany(part)
			if err != nil {
				return fmt.Errorf("reading %d keys: %w", len(part), err)
			}
			for _, key := range part {
				a.words = append(a.words, wordOf(items[key], d.how))
			}
		}
		d.operations.Add(1)
		a.stats, err = l.stats()
		return err
	})
	if !errors.Is(ctx.Err(), context.Canceled) { // Who did not wait for an answer knows nothing of the server.
		a.blank = s.note(a.err, a.stats, d.settling(), d.logger)
	}
	return a
}

// beatSlack is how late a heartbeat can be, and how inexact the second in which a server says that it was started.
const beatSlack = 2 * time.Second

// settling is how long a server that has forgotten everything must have been told again to know who is alive: two report
// intervals, since the first heartbeat after a restart is lost. The clients of oslo.cache send it on a connection that is
// no more, and connect anew only for the next one.
func (d *Driver) settling() time.Duration { return 2*time.Duration(d.cfg.ReportInterval) + beatSlack }
