package session

import (
	"context"
	"sync"
)

// Parallel does something with every item, at most limit at a time, and returns when all that was begun has ended. The first
// error ends the context of the rest, and is returned.
func Parallel[T any](ctx context.Context, limit int, items []T, do func(context.Context, T) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan T)
	var workers sync.WaitGroup
	for range min(limit, len(items)) {
		workers.Go(func() {
			for item := range queue {
				if err := do(ctx, item); err != nil {
					cancel(err)
				}
			}
		})
	}
	var err error
feeding:
	for _, item := range items {
		select {
		case queue <- item:
		case <-ctx.Done():
			err = context.Cause(ctx)
			break feeding
		}
	}
	close(queue)
	workers.Wait()
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return err
}
