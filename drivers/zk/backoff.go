package zk

import (
	"context"
	"math/rand/v2"
	"time"
)

// A backoff spaces attempts out.
type backoff struct{ wait, limit time.Duration }

const firstWait = 50 * time.Millisecond

// pause waits before the next attempt, between half the current wait and all of it, and doubles it. It returns false
// when ctx ended.
func (b *backoff) pause(ctx context.Context) bool {
	b.wait = min(max(2*b.wait, firstWait), b.limit)
	return wait(ctx, b.wait/2+rand.N(b.wait/2), nil)
}

// lasted notes a success and how long it was of use. It says whether that was long enough to try again at once.
func (b *backoff) lasted(d time.Duration) bool {
	if d < b.limit {
		return false
	}
	b.wait = 0
	return true
}

// wait waits for a time or until early is closed. It returns false when ctx ended.
func wait(ctx context.Context, d time.Duration, early <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-early:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}
