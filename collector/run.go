package collector

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// saveEvery is how soon a change is in the state file.
	saveEvery = time.Second
	// saveAtLeast is how old a state file can get while polls find no change. The detection latency of members that die while
	// the exporter is down is an upper bound, which is too high by up to this time.
	saveAtLeast = 30 * time.Second
	// stopTimeout bounds how long a driver may take to close.
	stopTimeout = 5 * time.Second
)

var errRanBefore = errors.New("the collector has been run before")

// Run polls by timers and watches, and writes state files, until ctx ends. It then waits for its goroutines and closes the
// collector. It can be called only once.
func (c *Collector) Run(ctx context.Context) error {
	if err := c.start(ctx); err != nil {
		return err
	}
	ticker := time.NewTicker(saveEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return c.Close()
		case <-ticker.C:
			for _, s := range *c.sources.Load() {
				c.saveLogged(s, false)
			}
		}
	}
}

// start launches the loops of the present sources, and makes Apply launch the loops of later ones.
func (c *Collector) start(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return errClosed
	case c.ran:
		return errRanBefore
	}
	c.ran = true
	c.launch = func(s *source) { c.loops.Go(func() { s.loop(ctx) }) }
	for _, s := range *c.sources.Load() {
		c.launch(s)
	}
	return nil
}

// saveLogged writes the state file of a source if it is due. A failure is logged when it begins, and no reason to stop.
func (c *Collector) saveLogged(s *source, last bool) {
	written, err := s.save(last)
	if err == nil && !written {
		return
	}
	switch failed, ended := s.unsaveable.Update(err); {
	case failed:
		s.log.Warn("Saving the state file failed; a restart would start from an older one", "err", err)
	case ended:
		s.log.Info("Saving the state file succeeded again")
	}
}

// Close writes the state files, closes all drivers and ends all subscriptions. It waits at most 5 s for drivers that do not
// stop. [Collector.Run] calls it at its end, so only programs that never call Run have to. It may be called more than once;
// later calls wait for the first one. Once it has begun, Apply fails.
func (c *Collector) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		<-c.stopped
		return nil
	}
	c.closed, c.launch = true, nil
	var errs []error
	for _, s := range *c.sources.Load() {
		c.retire(s)
		_, err := s.save(true)
		errs = append(errs, err)
	}
	c.mu.Unlock()
	defer close(c.stopped)
	c.loops.Wait()
	if !waitFor(&c.retired, stopTimeout) {
		errs = append(errs, c.errLeftBehind())
	}
	c.env.events.close()
	return errors.Join(errs...)
}

// errLeftBehind returns the error that drivers did not stop, and of which sources they are.
func (c *Collector) errLeftBehind() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	names := make([]string, 0, len(c.releasing))
	for s := range c.releasing {
		names = append(names, s.cfg.Name)
	}
	slices.Sort(names)
	return fmt.Errorf("drivers did not stop in time and were left behind, of the sources: %s", strings.Join(names, ", "))
}

// waitFor waits for a group, at most until a timeout: a driver may honour neither its context nor Close.
func waitFor(group *sync.WaitGroup, timeout time.Duration) bool {
	done := make(chan struct{})
	go func() {
		group.Wait()
		close(done)
	}()
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}
