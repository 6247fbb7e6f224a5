package drivers

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// limitKey is the context key of how long a request may take.
type limitKey struct{}

// WithLimit is [context.WithTimeout] for a request to a backend whose error says how long it waited, see [NoAnswer].
func WithLimit(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(deadline))
	}
	return context.WithTimeout(context.WithValue(ctx, limitKey{}, limit), limit)
}

// WithLife returns a context that ends with ctx, and when the life of a driver does, with its cause.
func WithLife(ctx, life context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	end := func() { cancel(context.Cause(life)) }
	stop := context.AfterFunc(life, end)
	if life.Err() != nil {
		end() // AfterFunc calls it in a goroutine, which may be too late.
	}
	return ctx, func() {
		stop()
		cancel(nil)
	}
}

// Limited returns a context whose errors say how long a request that begins now waited, if ctx has a deadline.
func Limited(ctx context.Context) context.Context {
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithValue(ctx, limitKey{}, time.Until(deadline))
	}
	return ctx
}

// Ended reports whether a context has ended, or its deadline has passed. A connection that has the deadline too can end a moment
// before ctx does.
func Ended(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && !time.Now().Before(deadline)
}

// NoAnswer returns the error of a request that a deadline or the end of its context ended, in plain words. It wraps the error that
// the request returned.
func NoAnswer(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return &noAnswerError{"given up before there was an answer", err}
	}
	text := "no answer in time"
	switch limit, known := ctx.Value(limitKey{}).(time.Duration); {
	case known && limit <= 0:
		text = "no time was left to wait for an answer"
	case known:
		text += fmt.Sprintf(": waited %v", limit.Round(time.Millisecond))
	}
	return &noAnswerError{text, err}
}

// A noAnswerError says in plain words what a context's end means.
type noAnswerError struct {
	text string
	err  error
}

func (e *noAnswerError) Error() string { return e.text }

func (e *noAnswerError) Unwrap() error { return e.err }

// HasNoAnswer reports whether an error says already that an answer was waited for.
func HasNoAnswer(err error) bool {
	_, found := errors.AsType[*noAnswerError](err)
	return found
}
