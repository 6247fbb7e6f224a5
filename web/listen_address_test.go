package web

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A Unix socket answers, has the permissions of the flag, and is gone after the server.
func TestServeUnixSockets(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one.sock"), filepath.Join(dir, "two.sock")
	r := serve(t, flagsOf("", "unix://"+one, "unix:"+two+"?mode=0666", "127.0.0.1:0"), newHandler(t, testOptions()), nil)
	for path, mode := range map[string]os.FileMode{one: 0o660, two: 0o666} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, mode, info.Mode().Perm(), path)
		client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		}}}
		status, body := get(t, client, "http://localhost/-/healthy")
		require.Equal(t, "healthy\n", body)
		require.Equal(t, http.StatusOK, status)
	}
	r.stop()
	require.NoError(t, r.wait(t))
	for _, path := range []string{one, two} {
		require.NoFileExists(t, path)
	}
}

// The socket of a process that was killed is replaced, one that is in use is not.
func TestUnixSocketThatExists(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web.sock")
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", path)
	require.NoError(t, err)
	_, err = Listen(t.Context(), flagsOf("", "unix://"+path), slog.New(slog.DiscardHandler))
	require.ErrorContains(t, err, "another program listens on this socket")
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	require.NoError(t, l.Close())
	require.FileExists(t, path)
	server, err := Listen(t.Context(), flagsOf("", "unix://"+path), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.NoError(t, server.Close())
}

func TestAddressesThatCantBeListenedOn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	for address, want := range map[string]string{
		"10199":                     "is not an address: " + addressForms,
		"localhost":                 "is not an address: " + addressForms,
		"http://:10199":             "is not an address: " + addressForms,
		"[::1]":                     "is not an address: " + addressForms,
		":65536":                    "the port is not a number from 0 to 65535: " + addressForms,
		":metric":                   "the port is not a number from 0 to 65535: " + addressForms,
		"192.0.2.1:0":               "this machine does not have the address",
		taken.Addr().String():       "another program listens there; stop it, or choose another port with --web.listen-address",
		"unix://run/x.sock":         "the path of a Unix socket is absolute",
		"unix:x.sock":               "the path of a Unix socket is absolute",
		"unix:///x.sock?mode=999":   `mode="999" is not an octal number up to 0777`,
		"unix:///x.sock?mode=rw":    `mode="rw" is not an octal number up to 0777`,
		"unix:///x.sock?perms=0666": "a Unix socket has only the parameter mode",
		"unix:///not/there/x.sock":  "no such file or directory",
		"unix://" + file:            "the file exists and is not a socket",
		"vsock://:none":             "is not an address: " + addressForms,
		"vsock://:4294967296":       "the vsock port is not a number: " + addressForms,
	} {
		_, err := Listen(t.Context(), flagsOf("", address), slog.New(slog.DiscardHandler))
		require.ErrorContains(t, err, `--web.listen-address: listening on "`+address+`": `)
		require.ErrorContains(t, err, want)
	}
}
