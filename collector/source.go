package collector

import (
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"servicegroup_exporter/collector/tracker"
	"servicegroup_exporter/drivers"
)

// A source is one configured backend: its driver, the poll in flight, and what is known of its members.
type source struct {
	cfg    SourceConfig
	driver drivers.Driver
	env    *environment
	log    *slog.Logger

	// deadBefore are the hosts on which a member was down or suspected within an hour before this process began, by the state file.
	deadBefore map[string]bool

	wake   chan struct{}  // tells the loop to compute again when to poll next
	ended  chan struct{}  // closed by end
	polls  sync.WaitGroup // goroutines that call the driver
	saving sync.Mutex     // locked while the state file is written, so that an older state never replaces a newer one

	mu        sync.Mutex
	closed    bool
	inflight  *inflight // the poll in flight, if any
	patience  patience
	tracker   *tracker.Tracker
	now       Snapshot        // without its members
	members   []MemberState   // of the snapshot, made when they are first asked for
	lost      bool            // source_lost was sent
	read      tracker.Instant // when the last successful poll ended, in this process
	recheck   time.Duration   // see [tracker.Changes]
	pollAt    tracker.Instant // see [tracker.Changes]
	rejects   int             // entries that the last poll rejected
	longNames bool            // some of them for the length of their names
	counts    drivers.Counts

	rarelyPolled bool // it was logged that the source is polled too rarely for suspicion
	recent       recent
	unsaved      bool                 // a change is not in the state file yet
	unsaveable   drivers.LastingError // the state file can't be written
	unreadable   drivers.LastingError // the source can't be read; its errors are the reasons
	saved        tracker.Instant      // when the state file was last written

	shown atomic.Pointer[rendered] // what scrapes show; set by publish
}

// newSource returns a source that knows what the source of the same name before it knew, or else what its state file has.
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
	s.publishAfter(&rendered{})
	return s
}

func (s *source) begin() {
	s.env.metrics.addSource(s.cfg.Name)
	s.tracker = tracker.New(tracker.Options{Source: s.cfg.Name, Settings: s.tracking()})
	now := s.env.clock()
	saved, lost := s.env.states.load(s.cfg.Name, now.Wall, s.cfg.ForgetAfter)
	if lost {
		s.env.metrics.loadFailures.WithLabelValues(s.cfg.Name).Inc()
	}
	if saved != nil {
		s.tracker.Restore(saved, now)
		s.now.LastSuccess = saved.LastPoll
		s.recent.restore(s.cfg.Name, saved.Events, s.env.events)
		s.deadBefore = map[string]bool{}
		for _, d := range slices.Concat(s.tracker.Decisions(), s.tracker.Suspicions()) {
			s.deadBefore[s.cfg.Naming.Host(d.Name)] = true
		}
	}
}

// inherit takes over what a source of the same name knew that has ended.
func (s *source) inherit(before *source) {
	before.mu.Lock()
	defer before.mu.Unlock()
	s.tracker, s.now, s.lost, s.read = before.tracker, before.now, before.lost, before.read
	s.unsaved, s.saved, s.recent, s.deadBefore = before.unsaved, before.saved, before.recent, before.deadBefore
	s.tracker.Set(s.tracking())
	if s.cfg.Suspicion.Enabled && !before.cfg.Suspicion.Enabled {
		s.env.metrics.beginSuspicions(s.cfg.Name, s.tracker.Members())
	}
	before.members = memberStates(before.tracker, &before.cfg.Naming, before.now.Readable)
	before.now.Groups = groupStates(before.tracker, before.now.Readable)
	before.tracker = nil
}

// adjust takes over the settings that do not belong to the fingerprint.
func (s *source) adjust(cfg SourceConfig) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.shown.Load()
	if cfg.LabelLimit != s.cfg.LabelLimit || !cfg.Naming.Equal(&s.cfg.Naming) {
		before = &rendered{} // All labels are made again.
	}
	s.cfg.ExpectedGroups, s.cfg.LabelLimit, s.cfg.Naming = cfg.ExpectedGroups, cfg.LabelLimit, cfg.Naming
	s.tracker.Set(s.tracking())
	s.publishAfter(before)
}

// leaveShared takes a source that was removed out of what sources share.
func (s *source) leaveShared() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tracker.End()
	s.env.awaited.remove(s.cfg.Name)
}

// tracking returns the settings of the source's tracker.
func (s *source) tracking() tracker.Settings {
	settings := s.cfg.tracking()
	settings.Shared = s.env.guards.of(s.cfg.Nova)
	return settings
}

// snapshot returns what is known.
func (s *source) snapshot() Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.members == nil { // inherit has set them where there is no tracker any more
		s.members = memberStates(s.tracker, &s.cfg.Naming, s.now.Readable)
		s.now.Groups = groupStates(s.tracker, s.now.Readable)
	}
	snap := s.now
	snap.HeartbeatsStalled, snap.SuspendsSuspicion = snap.HeartbeatsStalled && snap.Readable, snap.SuspendsSuspicion && snap.Readable
	snap.Stale = snap.Readable && s.env.clock().Sub(s.read) > max(3*snap.DownTime, staleAfter)
	snap.Members, snap.TextLimit = s.members, s.textLimit()
	return snap
}

// succeed takes in a successful poll. The caller holds the lock.
func (s *source) succeed(poll *drivers.Poll, start, end tracker.Instant) {
	first := !s.tracker.Polled()
	changes := s.tracker.Observe(poll, start, end)
	s.recheck, s.pollAt = changes.Recheck, changes.PollAt
	s.unsaved = s.unsaved || first || changes.Decisions
	s.now.Readable, s.now.Polled, s.now.Err, s.now.Reason = true, true, nil, ""
	s.now.LastSuccess, s.read = end.Wall, end
	s.now.Backend, s.now.DownTime, s.now.ListsDatabases = poll.Backend, poll.DownTime, poll.ListsDatabases
	s.now.HeartbeatsStalled, _ = s.tracker.Stalled()
	s.now.SuspendsSuspicion = s.tracker.SuspendsSuspicion()
	s.now.HasClock = !poll.Now.IsZero()
	s.now.BackendTime, s.now.ClockOffset = poll.Now, 0
	s.now.Rejected, s.now.LongNames = changes.Rejected, changes.LongNames
	if s.now.HasClock {
		s.now.ClockOffset = poll.Now.Sub(start.Wall.Add(end.Sub(start) / 2))
	}
	before, shown := s.now.Problems, s.shown.Load()
	s.now.Problems = problemsOf(poll, len(s.tracker.Members()), &changes)
	s.attempted(start, end)
	s.env.metrics.observe(s.cfg.Name, &changes, s.cfg.Suspicion.Enabled)
	s.publish()
	s.logRejected(&changes)
	s.logRarePolls()
	s.logProblems(before)
	s.unreadable.Update(nil)
	if s.lost {
		s.lost = false
		s.report(Event{Time: end.Wall, Type: EventSourceBack, Source: s.cfg.Name})
	}
	s.report(changes.Events...)
	if !sameSlice(s.shown.Load().hosts, shown.hosts) {
		signal(s.env.hostsChanged) // After the events: the bridge takes both together.
	}
}

// fail takes in that a poll failed, or did not answer in time. The caller holds the lock.
func (s *source) fail(start tracker.Instant, err error) {
	end := s.env.clock()
	err = shortError{err}
	s.now.Readable, s.now.Err, s.now.Reason = false, err, drivers.ReasonOf(err)
	s.attempted(start, end)
	s.env.metrics.pollErrors.WithLabelValues(s.cfg.Name, string(s.now.Reason)).Inc()
	s.publish()
	reason, _ := s.unreadable.Update(errors.New(string(s.now.Reason)))
	if s.lost && reason {
		s.logUnreadable(err)
	}
	if !s.lost {
		s.lost = true
		s.report(Event{Time: end.Wall, Type: EventSourceLost, Source: s.cfg.Name, Err: err})
	}
}

func (s *source) attempted(start, end tracker.Instant) {
	s.now.LastAttempt, s.now.PollDuration = end.Wall, end.Sub(start)
	signal(s.wake)
}

// report sends, keeps and logs events, in order. The caller holds the lock.
func (s *source) report(events ...Event) {
	s.env.events.send(events...)
	s.recent.add(events)
	s.unsaved = s.unsaved || len(events) > 0
	s.logEvents(events)
}

// end ends the source: it starts no more polls, and all who wait for the poll in flight stop waiting.
func (s *source) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	close(s.ended)
	if p := s.inflight; p != nil {
		s.inflight = nil
		p.ctx.cancel()
		close(p.done)
	}
}

// release closes the driver of a source that has ended, and waits for its polls.
func (s *source) release() {
	if err := s.driver.Close(); err != nil {
		s.log.Warn("Closing the driver failed", "err", err)
	}
	s.polls.Wait()
}

// maxError bounds the text of a source's error, in bytes: a backend may put anything into one.
const maxError = 4 << 10

// A shortError is an error whose text is cut to maxError bytes.
type shortError struct{ error }

func (e shortError) Error() string { return tracker.Shorten(e.error.Error(), maxError) }

func (e shortError) Unwrap() error { return e.error }
