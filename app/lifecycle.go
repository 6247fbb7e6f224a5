package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// stopTimeout bounds each stop. It is longer than the time that the HTTP server gives to requests in progress.
const stopTimeout = 20 * time.Second

// errStopTimeout is the error of a stop that has not returned in time. What it was to stop is left behind.
var errStopTimeout = errors.New("did not stop in time")

// stops is a stack of the parts to stop, each with the name that the log uses for it. What is opened last is stopped
// first, because it may use what was opened before it.
type stops struct {
	logger  *slog.Logger
	timeout time.Duration // of each stop

	mu    sync.Mutex
	stack []stop
}

type stop struct {
	name string
	stop func() error
}

func newStops(logger *slog.Logger) *stops { return &stops{logger: logger, timeout: stopTimeout} }

// push registers how to stop something that has just been opened or started.
func (s *stops) push(name string, f func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stack = append(s.stack, stop{name, f})
}

// run runs all registered stops once, newest first, and joins their errors. A stop that takes longer than the timeout is
// named in the log and in the error, and the next one runs.
func (s *stops) run() error {
	var errs []error
	for {
		next, ok := s.pop()
		if !ok {
			return errors.Join(errs...)
		}
		if err := s.runOne(next); err != nil {
			errs = append(errs, fmt.Errorf("stopping the %s: %w", next.name, err))
		}
	}
}

func (s *stops) pop() (stop, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.stack) == 0 {
		return stop{}, false
	}
	last := s.stack[len(s.stack)-1]
	s.stack = s.stack[:len(s.stack)-1]
	return last, true
}

func (s *stops) runOne(next stop) error {
	stopped := make(chan error, 1)
	go func() { stopped <- next.stop() }()
	timer := time.NewTimer(s.timeout)
	defer timer.Stop()
	select {
	case err := <-stopped:
		return err
	case <-timer.C:
		s.logger.Error("A part of the server did not stop in time and was left behind", "part", next.name, "timeout", s.timeout)
		return errStopTimeout
	}
}

// maxParts is at least the number of parts that Run starts.
const maxParts = 16

// start runs a part in a goroutine of its own, and registers how to stop it: by the end of its context. A part that
// returns an error ends the whole server.
func (a *App) start(ctx context.Context, name string, run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() {
		err := run(ctx)
		if err != nil && ctx.Err() == nil {
			a.failed <- fmt.Errorf("running the %s: %w", name, err)
			err = nil // It is reported once.
		}
		ended <- err
	}()
	a.stops.push(name, func() error {
		cancel()
		return <-ended
	})
}

// Run runs the server until ctx ends or a part fails, and then stops everything. It returns nil if ctx ended and all
// parts stopped without an error. It can be called once.
func (a *App) Run(ctx context.Context) error {
	// The parts stop in the reverse of this order. The collector and the HTTP server stop last, so that scrapes in progress
	// are answered. The history stops before the HTTP server, as that ends the streams that the HTTP server waits for.
	a.start(ctx, "collector", a.collector.Run)
	a.start(ctx, "HTTP server", func(ctx context.Context) error { return a.web.Serve(ctx, a.handler) })
	a.start(ctx, "bridge to Alertmanager", a.bridge.Run)
	a.start(ctx, "canaries", a.canaries.Run)
	a.start(ctx, "history of events", a.history.Run)
	a.start(ctx, "reload loop", a.reloadLoop)
	a.start(ctx, "systemd notifier", a.notifySystemd)
	a.logger.Info("Started", "sources", a.sourceNames(), "addresses", a.web.Addrs())
	var failed error
	select {
	case <-ctx.Done():
	case failed = <-a.failed:
	}
	err := errors.Join(failed, a.Stop())
	if err == nil {
		a.logger.Info("Stopped")
	}
	return err
}

// Stop stops everything that was opened or started, and returns once it has stopped or its time is over. It may be
// called more than once, but not while [App.Run] runs: end its context instead.
func (a *App) Stop() error {
	select {
	case <-a.stopping:
	default:
		close(a.stopping)
	}
	return a.stops.run()
}
