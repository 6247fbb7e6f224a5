package collector

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"servicegroup_exporter/drivers"
)

// An environment is what all sources share.
type environment struct {
	log     *slog.Logger
	clock   clock
	descs   *descs
	metrics *metrics
	hub     *hub
	store   store
}

// A source is one configured backend: its driver, the poll under way, and what is known.
type source struct {
	cfg    SourceConfig
	driver drivers.Driver
	env    *environment
	log    *slog.Logger

	view    atomic.Pointer[view]
	wake    chan struct{} // tells the loop that it has something new to wait for
	ended   chan struct{} // closed by end
	flights sync.WaitGroup
	saving  sync.Mutex // held while the memory is written, so that an older one never replaces a newer

	mu      sync.Mutex
	closed  bool
	flight  *flight // the poll under way
	tracker *tracker
	now     Snapshot      // without its members
	members []MemberState // of the snapshot, made when somebody asks
	lost    bool          // source_lost was sent
	recheck time.Duration // see outcome
	rejects int           // entries rejected by the last poll
	counts  drivers.Counts
	unsaved bool    // something changed that the memory does not have
	saved   instant // when the memory was last saved
}

// newSource makes a source that knows what its predecessor of the same name or its memory knew.
func newSource(cfg SourceConfig, driver drivers.Driver, env *environment, before *source) *source {
	s := &source{
		cfg: cfg, driver: driver, env: env, log: env.log.With("source", cfg.Name),
		wake: make(chan struct{}, 1), ended: make(chan struct{}),
		saved: env.clock(),
	}
	if before != nil {
		s.inherit(before)
	} else {
		s.begin()
	}
	s.now.Source, s.now.Driver, s.now.Schema, s.now.Layout = cfg.Name, cfg.Driver, cfg.Schema, cfg.Layout
	s.publish()
	return s
}

func (s *source) begin() {
	s.env.metrics.addSource(s.cfg.Name)
	s.tracker = newTracker(s.cfg.Name, s.cfg.ForgetAfter)
	now := s.env.clock()
	if m := s.env.store.load(s.cfg.Name, now.wall, s.cfg.ForgetAfter); m != nil {
		s.tracker.remember(m, now)
		s.now.LastSuccess = m.LastPoll
	}
}

// inherit takes everything over from a source of the same name that has ended.
func (s *source) inherit(before *source) {
	before.mu.Lock()
	defer before.mu.Unlock()
	s.tracker, s.now, s.lost = before.tracker, before.now, before.lost
	s.unsaved, s.saved = before.unsaved, before.saved
	s.tracker.forgetAfter = s.cfg.ForgetAfter
	before.members = before.tracker.members(before.now.Readable)
	before.tracker = nil
	for _, rec := range s.tracker.order {
		rec.series = nil // Its labels depend on the source's settings.
	}
}

// snapshot gives what is known.
func (s *source) snapshot() Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.members == nil { // never so when the tracker was inherited
		s.members = s.tracker.members(s.now.Readable)
	}
	snap := s.now
	snap.Members = s.members
	return snap
}

// succeed takes a poll in. The caller holds the lock.
func (s *source) succeed(r *reading) {
	first := !s.tracker.known
	out := s.tracker.apply(r)
	s.recheck = out.recheck
	s.unsaved = s.unsaved || first || len(out.events) > 0
	s.now.Readable, s.now.Err, s.now.Reason = true, nil, ""
	s.now.LastSuccess = r.seen.wall
	s.now.Backend, s.now.DownTime, s.now.Catalogue = r.Backend, r.DownTime, r.Catalogue
	s.now.HasClock = !r.Now.IsZero()
	s.now.ClockOffset = 0
	if s.now.HasClock {
		s.now.ClockOffset = r.Now.Sub(r.start.wall.Add(r.seen.sub(r.start) / 2))
	}
	s.attempted(r.start, r.seen)
	s.env.metrics.observe(s.cfg.Name, out)
	s.publish()
	s.logRejected(out.rejected)
	if s.lost {
		s.lost = false
		s.tell(Event{Time: r.seen.wall, Type: EventSourceBack, Source: s.cfg.Name})
	}
	s.tell(out.events...)
}

// unreadable notes that a poll failed, or did not answer in time. The caller holds the lock.
func (s *source) unreadable(start instant, err error) {
	seen := s.env.clock()
	err = brief{err}
	s.now.Readable, s.now.Err, s.now.Reason = false, err, drivers.ReasonOf(err)
	s.attempted(start, seen)
	s.env.metrics.pollErrors.WithLabelValues(s.cfg.Name, string(s.now.Reason)).Inc()
	s.publish()
	if !s.lost {
		s.lost = true
		s.tell(Event{Time: seen.wall, Type: EventSourceLost, Source: s.cfg.Name, Err: err})
	}
}

func (s *source) attempted(start, seen instant) {
	s.now.LastAttempt, s.now.PollDuration = seen.wall, seen.sub(start)
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// tell sends and logs events, in order.
func (s *source) tell(events ...Event) {
	s.env.hub.send(events...)
	s.logEvents(events)
}

// end makes the source forget the poll under way and start no more. Whoever waits is let go.
func (s *source) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	close(s.ended)
	if f := s.flight; f != nil {
		s.flight = nil
		f.cancel()
		close(f.done)
	}
}

// release closes the driver of a source that has ended and waits for its polls.
func (s *source) release() {
	if err := s.driver.Close(); err != nil {
		s.log.Warn("closing the driver", "err", err)
	}
	s.flights.Wait()
}
