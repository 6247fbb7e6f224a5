package drill

import (
	"context"
	"sync/atomic"
	"time"
)

// tick is how often the lateness is looked at.
const tick = 10 * time.Millisecond

// lateness measures by how much timers of this process are late.
type lateness struct {
	most   atomic.Int64
	cancel context.CancelFunc
}

func newLateness() *lateness {
	ctx, cancel := context.WithCancel(context.Background())
	l := &lateness{cancel: cancel}
	go func() {
		for asked := time.Now(); sleep(ctx, tick) == nil; asked = time.Now() {
			l.most.Store(max(l.most.Load(), int64(time.Since(asked)-tick)))
		}
	}()
	return l
}

// worst is the most so far.
func (l *lateness) worst() time.Duration { return time.Duration(l.most.Load()) }

func (l *lateness) stop() { l.cancel() }
