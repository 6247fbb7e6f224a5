package session

import (
	"context"
	"math/rand/v2"
	"time"
)

// FirstWait is the upper bound of the first pause of a [Backoff].
const FirstWait = 50 * time.Millisecond

// A Backoff computes the pauses between attempts.
type Backoff struct {
	Limit time.Duration // of one pause

	wait time.Duration
}

// Pause doubles the current wait and pauses for between half of it and all of it. It returns false if ctx has ended.
func (b *Backoff) Pause(ctx context.Context) bool {
	b.wait = min(max(2*b.wait, FirstWait), b.Limit)
	return pause(ctx, b.wait/2+rand.N(b.wait/2), nil)
}

// Lasted records for how long the last success lasted. If that was long enough to try again at once, it returns true and
// the pauses start short again.
func (b *Backoff) Lasted(d time.Duration) bool {
	if d < b.Limit {
		return false
	}
	b.wait = 0
	return true
}

// pause waits for d, or until early is closed or ctx ends. It returns false if ctx has ended.
func pause(ctx context.Context, d time.Duration, early <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-early:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}
