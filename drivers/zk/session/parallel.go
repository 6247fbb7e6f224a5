package session

import (
	"context"

	"golang.org/x/sync/errgroup"

	"servicegroup_exporter/drivers"
)

// Parallel calls do for every item, for at most limit items at a time, and returns when all calls have returned. The
// first error cancels the context of the other calls, and is returned.
func Parallel[T any](ctx context.Context, limit int, items []T, do func(context.Context, T) error) error {
	calls, callCtx := errgroup.WithContext(ctx)
	calls.SetLimit(limit)
	for _, item := range items {
		if callCtx.Err() != nil {
			break
		}
		calls.Go(func() error {
			if callCtx.Err() != nil {
				return drivers.NoAnswer(callCtx, context.Cause(callCtx))
			}
			return do(callCtx, item)
		})
	}
	if err := calls.Wait(); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return drivers.NoAnswer(ctx, context.Cause(ctx))
	}
	return nil
}
