package app

import (
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The watchdog is notified while the reload loop answers, and not while the loop is stuck.
func TestWatchdogWatchesTheReloadLoop(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	listener, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, listener.Close()) })
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", "200000")
	a := &App{pings: make(chan chan struct{}), systemd: newSystemd(slog.New(slog.DiscardHandler))}
	require.Equal(t, 200*time.Millisecond, a.systemd.watchdog)

	go func() { close(<-a.pings) }()
	a.notifyWatchdog(t.Context())
	require.NoError(t, listener.SetReadDeadline(time.Now().Add(30*time.Second)))
	message := make([]byte, 100)
	n, err := listener.Read(message)
	require.NoError(t, err)
	require.Equal(t, "WATCHDOG=1", string(message[:n]))

	a.notifyWatchdog(t.Context()) // The loop does not take the ping.
	go func() { <-a.pings }()
	a.notifyWatchdog(t.Context()) // The loop takes the ping, but does not answer it.
	require.NoError(t, listener.SetReadDeadline(time.Now().Add(time.Millisecond)))
	_, err = listener.Read(message)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
}
