package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/mdlayher/vsock"
	toolkit "github.com/prometheus/exporter-toolkit/web"
)

// A Server has its addresses, but answers only once Serve is called.
type Server struct {
	listeners []net.Listener
	flags     *toolkit.FlagConfig
	logger    *slog.Logger

	// readHeaderTimeout bounds how long a client may take to say what it wants, readTimeout the same with the body, grace
	// how long requests in progress may take to end once the server stops.
	readHeaderTimeout, readTimeout, grace time.Duration

	maxConns int // to each address
}

// Listen binds every address that the flags name, or the sockets that systemd passed, or none: the error names the
// address that could not be had. The web configuration file is checked first.
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
		return nil, errors.New("no address to listen on")
	}
	var listeners []net.Listener
	for _, address := range *flags.WebListenAddresses {
		l, err := listen(ctx, address)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("listening on %q: %w", address, err), closeAll(listeners))
		}
		listeners = append(listeners, l)
	}
	return listeners, nil
}

// inherited gives the sockets that systemd passed. Those that are no listeners come as nil.
func inherited() ([]net.Listener, error) {
	all, err := activation.Listeners()
	if err != nil {
		return nil, fmt.Errorf("taking systemd's sockets: %w", err)
	}
	var listeners []net.Listener
	for _, l := range all {
		if l != nil {
			listeners = append(listeners, l)
		}
	}
	if len(listeners) == 0 {
		return nil, errors.New("systemd passed no listening socket")
	}
	return listeners, nil
}

// listen binds HOST:PORT, or vsock://:PORT as the toolkit's flag allows.
func listen(ctx context.Context, address string) (net.Listener, error) {
	if !strings.HasPrefix(address, "vsock://") {
		return (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(u.Port(), 10, 32)
	if err != nil {
		return nil, fmt.Errorf("bad vsock port: %w", err)
	}
	return vsock.Listen(uint32(port), nil)
}

// Addrs gives the addresses as they are bound, with the port that was chosen where port 0 was asked for.
func (s *Server) Addrs() []net.Addr {
	addrs := make([]net.Addr, len(s.listeners))
	for i, l := range s.listeners {
		addrs[i] = l.Addr()
	}
	return addrs
}

// Close gives the addresses back. It is only needed if Serve is never called.
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
