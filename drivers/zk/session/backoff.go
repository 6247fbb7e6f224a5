package session

import (
	"context"
	"math/rand/v2"
	"time"
)

// A Backoff spaces attempts out.
type Backoff struct {
	wait  time.Duration
	Limit time.Duration // of the pause
}

// FirstWait is the first pause, at most.
const FirstWait = 50 * time.Millisecond

// Pause waits before the next attempt, between half the current wait and all of it, and doubles it. It returns false
// when ctx ended.
func (b *Backoff) Pause(ctx context.Context) bool {
	b.wait = min(max(2*b.wait, FirstWait), b.Limit)
	return wait(ctx, b.wait/2+rand.N(b.wait/2), nil)
}

// Lasted notes a success and how long it was of use. It says whether that was long enough to try again at once.
func (b *Backoff) Lasted(d time.Duration) bool {
	if d < b.Limit {
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
