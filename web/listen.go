package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	toolkit "github.com/prometheus/exporter-toolkit/web"
)

// A Server has bound its addresses. It answers requests once Serve is called.
type Server struct {
	listeners []net.Listener
	flags     *toolkit.FlagConfig
	logger    *slog.Logger

	// readHeaderTimeout bounds how long a client may take to send the header of a request, and readTimeout how long for the
	// header and the body. grace is how long requests in progress may take to end once the server stops.
	readHeaderTimeout, readTimeout, grace time.Duration

	maxConns int // of each address
}

// Listen checks the web configuration file and binds all addresses of the flags, or takes the sockets that systemd passed. If
// one address can't be bound, Listen binds none and returns an error that names it.
func Listen(ctx context.Context, flags *toolkit.FlagConfig, logger *slog.Logger) (*Server, error) {
	if err := toolkit.Validate(*flags.WebConfigFile); err != nil {
		return nil, fmt.Errorf("reading the web configuration file %s: %w", *flags.WebConfigFile, err)
	}
	listeners, err := listenAll(ctx, flags)
	if err != nil {
		return nil, err
	}
	return &Server{
		listeners:         listeners,
		flags:             flags,
		logger:            logger,
		readHeaderTimeout: 10 * time.Second,
		readTimeout:       20 * time.Second,
		grace:             15 * time.Second,
		maxConns:          maxConns,
	}, nil
}

func listenAll(ctx context.Context, flags *toolkit.FlagConfig) ([]net.Listener, error) {
	if flags.WebSystemdSocket != nil && *flags.WebSystemdSocket {
		return inherited()
	}
	if len(*flags.WebListenAddresses) == 0 {
		return nil, errors.New("--web.listen-address: there is no address to listen on")
	}
	var listeners []net.Listener
	for _, address := range *flags.WebListenAddresses {
		l, err := listen(ctx, address)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("--web.listen-address: listening on %q: %w", address, err), closeAll(listeners))
		}
		listeners = append(listeners, l)
	}
	return listeners, nil
}

// inherited returns the sockets that systemd passed.
func inherited() ([]net.Listener, error) {
	all, err := activation.Listeners()
	if err != nil {
		return nil, fmt.Errorf("taking the sockets of systemd: %w", err)
	}
	var listeners []net.Listener
	for _, l := range all {
		if l != nil { // Nil is a socket that does not listen.
			listeners = append(listeners, l)
		}
	}
	if len(listeners) == 0 {
		return nil, errors.New("systemd passed no listening socket")
	}
	return listeners, nil
}

// Addrs returns the bound addresses, with the chosen port where port 0 was asked for.
func (s *Server) Addrs() []net.Addr {
	addrs := make([]net.Addr, len(s.listeners))
	for i, l := range s.listeners {
		addrs[i] = l.Addr()
	}
	return addrs
}

// Close closes the addresses. It is only needed if Serve is never called.
func (s *Server) Close() error { return closeAll(s.listeners) }

func closeAll(listeners []net.Listener) error {
	var errs []error
	for _, l := range listeners {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
