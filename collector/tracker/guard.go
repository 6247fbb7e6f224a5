package tracker

import (
	"sync"
	"time"
)

const (
	// guardShare and guardLeast are how many late members turn a guard on: more than 2, and more than a quarter of the members that report
	// regularly. A rack is seldom more; one of three RabbitMQ nodes is.
	guardShare = 0.25
	guardLeast = 2
)

// A Guard keeps members from being suspected while many of them are late at once: then the way of the heartbeats is slow, and not the
// members. It is on as well while all members are late, however few they are. When it turns off, those that were late wait for one
// more heartbeat.
//
// Each source has a guard of its own. Sources whose heartbeats have a part of their way in common, as the cells of one Nova, share
// another. Its methods may be called concurrently.
type Guard struct {
	mu      sync.Mutex
	sources map[string]*guardedSource
	on      bool
	ended   time.Duration // when it was last turned off, by the monotonic clock
}

// A guardedSource is what the last poll of a source found.
type guardedSource struct {
	known, late int           // members that report regularly, and how many of them are late
	until       time.Duration // when the numbers are too old to count
	sawOn       bool          // the guard was on when the source was last observed
}

// NewGuard returns a guard without sources.
func NewGuard() *Guard { return &Guard{sources: make(map[string]*guardedSource)} }

// A guardView is what a guard says to a source.
type guardView struct {
	on    bool          // no member is suspected
	holds bool          // members that are late wait for one more heartbeat after ended
	ended time.Duration // when the guard was last turned off
}

// observe takes in what a poll of a source found, which counts for a time.
func (g *Guard) observe(name string, known, late int, mono, validFor time.Duration) guardView {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.source(name)
	s.known, s.late, s.until = known, late, mono+validFor
	allKnown, allLate := 0, 0
	for _, other := range g.sources {
		if other.until >= mono {
			allKnown += other.known
			allLate += other.late
		}
	}
	many := float64(allLate) > max(guardLeast, guardShare*float64(allKnown)) || allLate > 0 && allLate == allKnown
	if g.on && !many {
		g.ended = mono
	}
	g.on = many
	view := guardView{on: many, holds: many || s.sawOn, ended: g.ended}
	s.sawOn = many
	return view
}

func (g *Guard) source(name string) *guardedSource {
	s := g.sources[name]
	if s == nil {
		s = &guardedSource{}
		g.sources[name] = s
	}
	return s
}

// turnOn turns the guard on until the source is observed again.
func (g *Guard) turnOn(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.on = true
	g.source(name).sawOn = true
}

// remove removes a source that is no longer read.
func (g *Guard) remove(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.sources, name)
}

// waits returns from when on a late member can be suspected, as far as guards make it wait. The result guarded reports that a guard is on.
func (b *beats) waits(guards []guardView, mono time.Duration) (from time.Duration, guarded bool) {
	for i, g := range guards {
		bit := uint8(1) << i
		if g.holds {
			b.waiting |= bit
		}
		if b.waiting&bit == 0 {
			continue
		}
		until := g.ended + b.interval + tolerance(b.interval)
		switch {
		case g.on:
			guarded = true
		case mono > until:
			b.waiting &^= bit
		default:
			from = max(from, until)
		}
	}
	return from, guarded
}

// minValid is how long the numbers of a source count in a shared guard at least, if it is not read again.
const minValid = 10 * time.Second

// askGuards returns what the source's guards say when they have been told what the poll found. A time without polls counts as one in which the
// source could not be read: what comes after it must first show that the others report.
func (t *Tracker) askGuards(mono time.Duration) []guardView {
	usual := max(t.pollGaps.longest(oddGaps), t.opts.PollInterval)
	if t.observed && !t.failed {
		gap := mono - t.last.start.Mono
		if usual > 0 && gap > 2*usual {
			t.guard.turnOn(t.opts.Source)
		}
		t.pollGaps.add(gap, 1)
	}
	t.observed = true
	t.views[0] = t.guard.observe(t.opts.Source, t.known, len(t.late), mono, 0)
	if t.opts.Shared == nil {
		return t.views[:1]
	}
	t.views[1] = t.opts.Shared.observe(t.opts.Source, t.known, len(t.late), mono, 3*usual+minValid)
	return t.views[:]
}

// SuspendsSuspicion reports whether a guard was on in the last successful poll: many members were late at once, so that none of them was
// suspected.
func (t *Tracker) SuspendsSuspicion() bool {
	return t.views[0].on || t.opts.Shared != nil && t.views[1].on
}

// oddGaps is how many of the last times between polls may be longer than usual. Scrapes and timers mix, so that the longest of the usual
// ones is what counts.
const oddGaps = 2
