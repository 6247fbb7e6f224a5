package collector

import (
	"log/slog"
	"sync"
	"time"

	"servicegroup_exporter/collector/tracker"
)

// An environment is what all sources share.
type environment struct {
	log     *slog.Logger
	clock   clock
	descs   *descs
	metrics *metrics
	events  *broadcast
	states  stateFiles
	guards  guards

	awaited awaitedHosts
	// hostsChanged receives when what the states of hosts depend on has changed.
	hostsChanged chan struct{}
}

// A clock returns the present instant.
type clock func() tracker.Instant

// newClock returns the clock of this machine.
func newClock() clock {
	start := time.Now()
	return func() tracker.Instant {
		now := time.Now()
		return tracker.Instant{Wall: now, Mono: now.Sub(start)}
	}
}

// guards are the guards that sources share, by the name of their Nova.
type guards struct {
	mu     sync.Mutex
	byNova map[string]*tracker.Guard
}

// of returns the guard of a Nova, nil for a source that is not a cell.
func (g *guards) of(nova string) *tracker.Guard {
	if nova == "" {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.byNova == nil {
		g.byNova = make(map[string]*tracker.Guard)
	}
	if g.byNova[nova] == nil {
		g.byNova[nova] = tracker.NewGuard()
	}
	return g.byNova[nova]
}

// signal wakes who receives from a channel of capacity 1: something has changed.
func signal(changed chan<- struct{}) {
	select {
	case changed <- struct{}{}:
	default:
	}
}
