package app

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestStopsRunNewestFirst(t *testing.T) {
	s := newStops(slog.New(slog.DiscardHandler))
	var order []string
	for _, name := range []string{"first", "second", "third"} {
		s.push(name, func() error {
			order = append(order, name)
			return nil
		})
	}
	require.NoError(t, s.run())
	require.Equal(t, []string{"third", "second", "first"}, order)
	require.NoError(t, s.run()) // Each stop runs once.
	require.Len(t, order, 3)
}

func TestStopsJoinErrors(t *testing.T) {
	s := newStops(slog.New(slog.DiscardHandler))
	s.push("collector", func() error { return errors.New("disk full") })
	s.push("listeners", func() error { return net.ErrClosed })
	err := s.run()
	require.ErrorIs(t, err, net.ErrClosed)
	require.EqualError(t, err, "stopping the listeners: use of closed network connection\nstopping the collector: disk full")
}

// A stop that hangs is named in the log and in the error, and what was opened before it is stopped all the same.
func TestHangingStopIsNamedAndBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := newStops(slog.New(slog.NewTextHandler(&log, nil)))
		release := make(chan struct{})
		defer close(release)
		stopped := false
		s.push("collector", func() error {
			stopped = true
			return nil
		})
		s.push("canaries", func() error {
			<-release
			return nil
		})
		began := time.Now()
		err := s.run()
		require.EqualError(t, err, "stopping the canaries: did not stop in time")
		require.Equal(t, stopTimeout, time.Since(began))
		require.True(t, stopped)
		require.Contains(t, log.String(), "part=canaries")
	})
}

// A part that fails ends the server with its error, which is reported once.
func TestFailedPartEndsTheServer(t *testing.T) {
	a, err := New(t.Context(), testOptions(t))
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- a.Run(t.Context()) }()
	require.NoError(t, a.web.Close())
	err = <-ended
	require.ErrorContains(t, err, "running the HTTP server: ")
	require.NotContains(t, err.Error(), "stopping")
}

// The parts stop in the reverse of the order in which they were started, each after it has returned.
func TestPartsStopInOrder(t *testing.T) {
	a := &App{stops: newStops(slog.New(slog.DiscardHandler)), stopping: make(chan struct{}), failed: make(chan error, maxParts)}
	order := make(chan string, 2)
	for _, name := range []string{"below", "above"} {
		a.start(t.Context(), name, func(ctx context.Context) error {
			<-ctx.Done()
			order <- name
			return nil
		})
	}
	require.NoError(t, a.Stop())
	require.Equal(t, "above", <-order)
	require.Equal(t, "below", <-order)
}
