package drill

import (
	"fmt"
	"sync"
	"time"
)

// statusInterval is the time between two reports of what a phase has done.
const statusInterval = time.Second

// A phase is a part of a drill.
type phase struct {
	began time.Time
	name  string
	done  func() string // says how far the phase is; may be nil
}

func (p *phase) status() string {
	text := p.name
	if p.done != nil {
		text = p.done()
	}
	return fmt.Sprintf("%s (after %v)", text, time.Since(p.began).Round(time.Second))
}

// begin announces a phase, and what to report while it lasts.
func (r *run) begin(done func() string, format string, args ...any) {
	p := &phase{time.Now(), fmt.Sprintf(format, args...), done}
	r.phase.Store(p)
	if r.Progress != nil {
		r.Progress.Step(p.name)
	}
}

// showProgress reports each second how far the drill is, until the function that it returns is called.
func (r *run) showProgress() (stop func()) {
	if r.Progress == nil {
		return func() {}
	}
	var showing sync.WaitGroup
	ended := make(chan struct{})
	showing.Go(func() {
		ticker := time.NewTicker(statusInterval)
		defer ticker.Stop()
		for {
			select {
			case <-ended:
				return
			case <-ticker.C:
				if p := r.phase.Load(); p != nil {
					r.Progress.Status(p.status())
				}
			}
		}
	})
	return func() {
		close(ended)
		showing.Wait()
	}
}
