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
	// justNow is how old a heartbeat may be that came just now: the heartbeats that a stall has delayed come within half a second, and backends
	// round their times to whole seconds.
	justNow = 1500 * time.Millisecond
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
	reporters
	at    time.Duration // when it was observed
	until time.Duration // when the numbers are too old to count
	sawOn bool          // the guard was on when the source was last observed
}

// reporters are the members of a source that report regularly and are not suspected.
type reporters struct {
	known    int // all of them
	late     int // those that are late
	returned int // those that have reported in this poll, and had been late
}

// isMany reports whether so many members are late that the way of their heartbeats is slow.
func (r *reporters) isMany(late int) bool {
	return float64(late) > max(guardLeast, guardShare*float64(r.known)) || late > 0 && late == r.known
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
//
// The heartbeats that a stall has delayed come within half a second of its end. A poll in this time that is the first one since the stall began
// finds few members that are late. So those that have just returned count too, unless the guard has just been turned off: then the stall is
// known, and has ended.
func (g *Guard) observe(name string, found reporters, mono, validFor time.Duration) guardView {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.source(name)
	s.reporters, s.at, s.until = found, mono, mono+validFor
	var all reporters
	for _, other := range g.sources {
		if other.until < mono {
			continue
		}
		all.known += other.known
		all.late += other.late
		if mono-other.at <= justNow {
			all.returned += other.returned
		}
	}
	many := all.isMany(all.late)
	if justEnded := g.ended > 0 && mono-g.ended <= 2*justNow; all.late > 0 && !g.on && !justEnded {
		many = all.isMany(all.late + all.returned)
	}
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
		until := g.ended + LateAfter(b.interval)
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
	found := reporters{known: t.known, late: len(t.late), returned: t.returned}
	t.views[0] = t.guard.observe(t.opts.Source, found, mono, 0)
	if t.opts.Shared == nil {
		return t.views[:1]
	}
	t.views[1] = t.opts.Shared.observe(t.opts.Source, found, mono, 3*usual+minValid)
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
