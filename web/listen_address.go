package web

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/mdlayher/vsock"
)

// addressForms are the forms of an address to listen on.
const addressForms = "write HOST:PORT, :PORT, unix:///PATH or vsock://:PORT"

// listen binds HOST:PORT, unix:///PATH, or vsock://:PORT, which the flag of the toolkit allows.
func listen(ctx context.Context, address string) (net.Listener, error) {
	scheme, _, _ := strings.Cut(address, ":")
	switch {
	case scheme == "unix":
		return listenUnix(ctx, address)
	case strings.HasPrefix(address, "vsock://"):
		return listenVsock(address)
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil || strings.Contains(host, "/") {
		return nil, fmt.Errorf("is not an address: %s", addressForms)
	}
	if _, err := (&net.Resolver{}).LookupPort(ctx, "tcp", port); err != nil {
		return nil, fmt.Errorf("the port is not a number from 0 to 65535: %s", addressForms)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%w: another program listens there; stop it, or choose another port with --web.listen-address", err)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("%w: ports below 1024 need the capability CAP_NET_BIND_SERVICE; choose another with --web.listen-address", err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fmt.Errorf("%w: this machine does not have the address", err)
	}
	return l, err
}

func listenVsock(address string) (net.Listener, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("is not an address: %s", addressForms)
	}
	port, err := strconv.ParseUint(u.Port(), 10, 32)
	if err != nil {
		return nil, fmt.Errorf("the vsock port is not a number: %s", addressForms)
	}
	return vsock.Listen(uint32(port), nil)
}

// socketMode are the permissions of a Unix socket without ?mode=: its user and its group may connect.
const socketMode = 0o660

// listenUnix binds unix:///PATH or unix:///PATH?mode=0666. A socket that a process left there which no longer runs is replaced. The
// socket is removed when the listener is closed.
func listenUnix(ctx context.Context, address string) (net.Listener, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host != "" || !filepath.IsAbs(u.Path) {
		return nil, errors.New("the path of a Unix socket is absolute: write unix:///run/servicegroup_exporter/web.sock")
	}
	mode := uint64(socketMode)
	for name, values := range u.Query() {
		if name != "mode" {
			return nil, errors.New("a Unix socket has only the parameter mode, as in unix:///PATH?mode=0666")
		}
		if mode, err = strconv.ParseUint(values[0], 8, 32); err != nil || mode > 0o777 {
			return nil, fmt.Errorf("mode=%q is not an octal number up to 0777, as in unix:///PATH?mode=0666", values[0])
		}
	}
	if err := removeStale(ctx, u.Path); err != nil {
		return nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "unix", u.Path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(u.Path, fs.FileMode(mode)); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// removeStale removes a socket that no process listens on.
func removeStale(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return errors.New("the file exists and is not a socket: remove it, or choose another path with --web.listen-address")
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
	if err == nil {
		conn.Close()
		return errors.New("another program listens on this socket: stop it, or choose another path with --web.listen-address")
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return os.Remove(path)
}
