package cli

import (
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// beSystemd writes the notifications of the service to the file notified, one per line, and sets the address of the socket.
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

// notifySocket listens as systemd does.
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
