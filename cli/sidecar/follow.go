package sidecar

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/sys/unix"

	"servicegroup_exporter/drivers"
)

// The times of a follower.
const (
	// When the main process has ended, systemd usually says why within milliseconds. If it does not for askAfter, it is asked. If
	// it then does not answer for verdictWait, the run has died.
	askAfter    = 500 * time.Millisecond
	verdictWait = 1500 * time.Millisecond
	// The pauses between attempts to connect.
	firstPause   = 100 * time.Millisecond
	longestPause = 5 * time.Second
)

// A System is what the follower needs of the machine.
type System struct {
	Connect      func(ctx context.Context, unit string) (Bus, error)
	WatchProcess func(pid int) (Process, error)
}

// A Run is the time in which a unit is active, from one start of it to its end.
type Run struct {
	ctx        context.Context // ends with the run
	cancel     context.CancelFunc
	invocation string
	restarts   uint32
	end        End // set before ctx ends
}

// A follower follows one unit. It believes systemd, as long as systemd answers. While it does not, a run lasts as long as the
// unit's main process.
type follower struct {
	unit    string
	system  System
	logger  *slog.Logger
	states  chan State
	refresh chan struct{} // capacity 1
	runs    chan *Run     // capacity 1: the run that has begun last

	current *Run // nil if the unit is not active
	seen    bool // a state was seen
	asked   bool // the last run has ended because systemd was asked to stop the unit, which has not ended yet

	process Process // the main process of the current run; nil if there is none or it can't be watched
	pid     int
	exited  time.Time // when it was seen to have ended
	// While it has ended: when to decide, whether systemd was asked, and whether it has said since that the unit is active all
	// the same.
	verdict  <-chan time.Time
	waiting  bool
	answered bool
	// The run that ended because its process did, and systemd did not answer. It does not begin again with this process.
	lost    string
	lostPID int

	unwatched drivers.LastingError
}

func newFollower(unit string, system System, logger *slog.Logger) *follower {
	return &follower{
		unit: unit, system: system, logger: logger,
		states: make(chan State), refresh: make(chan struct{}, 1), runs: make(chan *Run, 1),
	}
}

// run follows the unit until ctx ends.
func (f *follower) run(ctx context.Context) {
	listening := make(chan struct{})
	go func() {
		defer close(listening)
		f.listen(ctx)
	}()
	defer func() { <-listening }()
	defer f.unwatch()
	for {
		var ended <-chan struct{}
		if f.process != nil && f.exited.IsZero() {
			ended = f.process.Ended()
		}
		select {
		case <-ctx.Done():
			return
		case state := <-f.states:
			f.observe(ctx, &state)
		case <-ended:
			f.exited = time.Now()
			f.verdict = time.After(askAfter)
		case <-f.verdict:
			f.decide()
		}
	}
}

// decide is called some time after the main process of the current run has ended. If systemd has answered since it was last
// asked, it is asked again; if it has not, the run ends.
func (f *follower) decide() {
	if f.answered || !f.waiting {
		f.ask()
		return
	}
	f.finish(End{Died: true, At: f.exited, Cause: f.unit + ": its main process has ended, and systemd has not said why"})
	f.lost, f.lostPID = f.current.invocation, f.pid
	f.current = nil
	f.unwatch()
}

// ask asks systemd for the state of the unit, and sets the time at which decide is called again.
func (f *follower) ask() {
	f.answered, f.waiting = false, true
	f.verdict = time.After(verdictWait)
	select {
	case f.refresh <- struct{}{}:
	default:
	}
}

// observe takes in a state of the unit.
func (f *follower) observe(ctx context.Context, s *State) {
	up := s.up()
	if f.current != nil && (!up || s.Invocation != f.current.invocation) {
		f.finish(f.endOf(s))
		f.current = nil
		f.unwatch()
	}
	switch {
	case !up:
		f.inactive(s)
	case f.current != nil:
		f.watch(s.MainPID)
	case s.Invocation != f.lost || s.MainPID != f.lostPID:
		f.begin(ctx, s)
		f.watch(s.MainPID)
	}
	f.seen = true
}

// begin begins a run.
func (f *follower) begin(ctx context.Context, s *State) {
	run := &Run{invocation: s.Invocation, restarts: s.Restarts}
	run.ctx, run.cancel = context.WithCancel(ctx)
	f.current, f.asked = run, false
	f.logger.Info("The unit is active", "main_pid", s.MainPID)
	select {
	case <-f.runs: // It has ended before it was received.
	default:
	}
	f.runs <- run
}

// endOf returns how the current run ended. If the state is already one of a later run, systemd restarted the unit by itself, or was
// asked to.
func (f *follower) endOf(s *State) End {
	now := time.Now()
	if s.Invocation == f.current.invocation {
		return s.end(f.unit, now)
	}
	if !f.exited.IsZero() {
		now = f.exited
	}
	return End{Died: s.Restarts > f.current.restarts, At: now, Cause: f.unit + ": it was restarted, and its end was not seen"}
}

// finish ends the current run.
func (f *follower) finish(end End) {
	if end.Died {
		f.logger.Warn("The unit died", "at", end.At, "cause", end.Cause)
	} else {
		f.logger.Info("The unit was asked to stop")
	}
	f.asked = !end.Died
	f.current.end = end
	f.current.cancel()
}

// inactive logs what is to be known of a unit that is not active.
func (f *follower) inactive(s *State) {
	if !f.seen {
		f.logger.Info("The unit is not active yet, its member joins when it is", "active_state", s.Active, "load_state", s.Load)
	}
	if f.asked && (s.Active == "failed" || s.Active == "inactive") {
		f.asked = false
		if s.Active == "failed" {
			f.logger.Warn("The unit was asked to stop, and failed while it did", "cause", s.result())
		}
	}
}

// watch watches the main process of the current run.
func (f *follower) watch(pid int) {
	if pid == f.pid {
		f.answered = true // It may have ended, and systemd does not know that yet.
		return
	}
	f.unwatch()
	f.pid = pid
	if pid == 0 {
		return
	}
	process, err := f.system.WatchProcess(pid)
	if err == nil {
		f.process = process
		return
	}
	if errors.Is(err, unix.ESRCH) {
		return // It has just ended, and systemd will say so; or it is in another container, and can't be watched.
	}
	if failed, _ := f.unwatched.Update(err); failed {
		f.logger.Warn("Can't watch the main process of the unit, only systemd tells when it ends", "err", err)
	}
}

// unwatch ends the watch of the main process.
func (f *follower) unwatch() {
	if f.process != nil {
		f.process.Close()
	}
	f.process, f.pid, f.exited, f.verdict, f.waiting = nil, 0, time.Time{}, nil, false
}

// listen connects to systemd, and passes on the states of the unit, until ctx ends.
func (f *follower) listen(ctx context.Context) {
	var failing drivers.LastingError
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		bus, err := f.system.Connect(ctx, f.unit)
		if err == nil {
			if f.forward(ctx, bus, &failing) {
				pause = firstPause
			}
			err = bus.Close()
		}
		if ctx.Err() != nil {
			return
		}
		if failed, _ := failing.Update(err); failed {
			f.logger.Warn("Can't ask systemd about the unit, trying again; a member stays while the main process of the unit runs", "err", err)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}

// forward passes on the states that a bus reports, until it ends. It reports whether there was one.
func (f *follower) forward(ctx context.Context, bus Bus, failing *drivers.LastingError) (any bool) {
	for {
		select {
		case state, open := <-bus.States():
			if !open {
				return any
			}
			any = true
			if _, ended := failing.Update(nil); ended {
				f.logger.Info("Systemd answers about the unit again")
			}
			select {
			case f.states <- state:
			case <-ctx.Done():
				return any
			}
		case <-f.refresh:
			bus.Refresh()
		case <-ctx.Done():
			return any
		}
	}
}
