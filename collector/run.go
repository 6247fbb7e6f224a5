package collector

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	// saveEvery is how soon a change is in the memory on disk.
	saveEvery = time.Second
	// saveAtLeast is how old the memory can get while polls go on without a change. The upper bound of the detection
	// latency of members that die while the exporter is down is too high by as much.
	saveAtLeast = 30 * time.Second
	// stopTimeout bounds how long a driver may take to close.
	stopTimeout = 5 * time.Second
)

var (
	errRanBefore = errors.New("the collector has been run before")
	errAbandoned = errors.New("a driver did not stop in time and was abandoned")
)

// Run polls by timers and watches and saves the memory until ctx ends. It then waits for its goroutines and closes the
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

// start launches the loops of the sources that are there, and makes Apply launch those to come.
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

// saveLogged writes the state file of a source if it is due. A failure is logged, and no reason to stop.
func (c *Collector) saveLogged(s *source, last bool) {
	if err := s.save(last); err != nil {
		s.log.Warn("Saving the state file failed; a restart would start from an older one", "err", err)
	}
}

// Close saves the memory, closes all drivers and ends all subscriptions. [Collector.Run] does so when it ends; only
// programs that never call Run need to. It may be called more than once.
func (c *Collector) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed, c.launch = true, nil
	var errs []error
	for _, s := range *c.sources.Load() {
		c.retire(s)
		errs = append(errs, s.save(true))
	}
	c.loops.Wait()
	if !waitFor(&c.retired, stopTimeout) {
		errs = append(errs, errAbandoned)
	}
	c.env.events.close()
	return errors.Join(errs...)
}

// waitFor waits for a group, but not for ever: a driver that heeds neither its context nor Close is left behind.
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
