package web

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// childVariable is the environment variable that makes this test binary a program that takes the sockets of systemd.
const childVariable = "SERVICEGROUP_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) == "" {
		os.Exit(m.Run())
	}
	os.Exit(child())
}

// child prints the addresses of the sockets.
func child() int {
	flags := flagsOf("")
	*flags.WebSystemdSocket = true
	server, err := Listen(context.Background(), flags, slog.New(slog.DiscardHandler))
	if err != nil {
		fmt.Println(err)
		return 1
	}
	for _, addr := range server.Addrs() {
		fmt.Println(addr)
	}
	return 0
}

// systemd passes sockets as file descriptors from 3 on and names the process that they are for.
func TestSystemdSockets(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	socket, err := l.(*net.TCPListener).File()
	require.NoError(t, err)
	defer socket.Close()

	cmd := exec.CommandContext(t.Context(), "sh", "-c", `LISTEN_PID=$$ exec "$0"`, os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"=1", "LISTEN_FDS=1")
	cmd.ExtraFiles = []*os.File{socket}
	out, err := cmd.Output()
	require.NoError(t, err, string(out))
	require.Equal(t, l.Addr().String()+"\n", string(out))
}
