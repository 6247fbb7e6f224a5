package heartbeat

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

// writes is a backend that removes the member before its third heartbeat.
type writes struct{ done []string }

func (w *writes) Beat(context.Context) error {
	if w.done = append(w.done, "beat"); len(w.done) == 3 {
		return drivers.ErrRemoved
	}
	return nil
}

func (w *writes) Leave(context.Context) error { w.done = append(w.done, "leave"); return nil }

func (w *writes) Die(context.Context, time.Time) error { w.done = append(w.done, "die"); return nil }

// Once another process has removed the member, nothing is written in its name: the name may belong to another process.
func TestRemoved(t *testing.T) {
	for name, end := range map[string]func(context.Context, drivers.Membership) error{
		"leave": func(ctx context.Context, m drivers.Membership) error { return m.Leave(ctx) },
		"die": func(ctx context.Context, m drivers.Membership) error {
			return m.Die(ctx, drivers.Death{At: time.Now()})
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &writes{}
				m, err := NewKeeper(t.Context(), time.Second).Keep(w, slog.New(slog.DiscardHandler))
				require.NoError(t, err)
				<-m.Done()
				require.ErrorIs(t, m.Err(), drivers.ErrRemoved)
				require.NoError(t, end(t.Context(), m))
				require.Equal(t, []string{"beat", "beat", "beat"}, w.done)
			})
		})
	}
}

// A member that is not removed makes its last write after the heartbeat under way, and only once.
func TestLastWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &writes{}
		m, err := NewKeeper(t.Context(), time.Second).Keep(w, slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		time.Sleep(1500 * time.Millisecond)
		require.NoError(t, errors.Join(m.Die(t.Context(), drivers.Death{At: time.Now()}), m.Leave(t.Context())))
		require.Equal(t, []string{"beat", "die"}, w.done)
	})
}
