package cli

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
)

// beSystemd writes what the service tells systemd to the file notified, a line a message, and lets it find the socket.
func beSystemd(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 0 {
		ts.Fatalf("usage: systemd")
	}
	socket, file := ts.MkAbs("notify.sock"), ts.MkAbs("notified")
	listener, err := notifySocket(socket)
	ts.Check(err)
	ts.Defer(func() { listener.Close() })
	ts.Check(os.WriteFile(file, nil, 0o600))
	ts.Setenv("NOTIFY_SOCKET", socket)
	go func() {
		for {
			message, err := receive(listener)
			if err != nil {
				return // The script has ended.
			}
			if err := appendLine(file, strings.ReplaceAll(message, "\n", " ")); err != nil {
				return
			}
		}
	}()
}

// notifySocket is where systemd would listen.
func notifySocket(path string) (net.Conn, error) {
	return net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
}

func receive(listener net.Conn) (string, error) {
	buffer := make([]byte, 4096)
	n, err := listener.Read(buffer)
	return string(buffer[:n]), err
}

func appendLine(file, line string) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprintln(f, line)
	return err
}

// The watchdog is fed while the loop comes round, and not once it is stuck, whatever else goes on.
func TestWatchdogWatchesTheLoop(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	listener, err := notifySocket(socket)
	require.NoError(t, err)
	defer listener.Close()
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", "200000")
	s := &server{pings: make(chan chan struct{}), systemd: newSystemd(slog.New(slog.DiscardHandler))}
	require.Equal(t, 200*time.Millisecond, s.systemd.watchdog)

	go func() { close(<-s.pings) }()
	s.feedWatchdog(t.Context())
	require.NoError(t, listener.SetReadDeadline(time.Now().Add(patience)))
	message, err := receive(listener)
	require.NoError(t, err)
	require.Equal(t, "WATCHDOG=1", message)

	s.feedWatchdog(t.Context()) // Nobody takes the question.
	go func() { <-s.pings }()
	s.feedWatchdog(t.Context()) // Nobody answers it.
	require.NoError(t, listener.SetReadDeadline(time.Now().Add(time.Millisecond)))
	_, err = receive(listener)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
}
