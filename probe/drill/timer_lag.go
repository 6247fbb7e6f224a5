package drill

import (
	"context"
	"sync/atomic"
	"time"

	"servicegroup_exporter/probe"
)

// lagInterval is the period of the timer whose lag is measured.
const lagInterval = 10 * time.Millisecond

// A timerLag measures how late timers of this process fire.
type timerLag struct {
	max    atomic.Int64 // nanoseconds
	cancel context.CancelFunc
}

func newTimerLag() *timerLag {
	ctx, cancel := context.WithCancel(context.Background())
	l := &timerLag{cancel: cancel}
	go func() {
		for asked := time.Now(); probe.Sleep(ctx, lagInterval) == nil; asked = time.Now() {
			l.max.Store(max(l.max.Load(), int64(time.Since(asked)-lagInterval)))
		}
	}()
	return l
}

// longest returns the longest lag so far.
func (l *timerLag) longest() time.Duration { return time.Duration(l.max.Load()) }

func (l *timerLag) stop() { l.cancel() }
