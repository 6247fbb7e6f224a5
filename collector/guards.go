package collector

import (
	"sync"

	"servicegroup_exporter/collector/tracker"
)

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
