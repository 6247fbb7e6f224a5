package mc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/freshness"
)

// maxIdle is how many connections to a server are kept for the next operation.
const maxIdle = 2

// A server is one memcached server.
type server struct {
	addr    address
	dialer  drivers.Dialer
	tls     *drivers.TLS
	timeout time.Duration
	// lifetime is how long a connection is used. Heartbeats are written on the same connections.
	lifetime time.Duration
	fresh    *freshness.Check
	dials    atomic.Uint64

	mu      sync.Mutex
	closed  bool
	idle    []*client
	renewed time.Time // connections that were made before are not used again
	last    reading
	uptime  uptime
	failing drivers.LastingError // the last poll could not read the server
}

// do runs an operation on the server within the timeout. An operation that fails on an idle connection is run again on a
// new one: the server may have been restarted since the connection was used last.
func (s *server) do(ctx context.Context, op func(*client) error) error {
	ctx, cancel := drivers.WithLimit(ctx, s.limit(ctx))
	defer cancel()
	c := s.takeIdle()
	if c != nil {
		if err := s.release(c, c.use(ctx, op)); err == nil || ctx.Err() != nil {
			return s.wrap(ctx, err)
		}
		s.dropIdle()
	}
	c, err := dial(ctx, s.dialer, s.tls, s.addr)
	if err != nil {
		return s.wrap(ctx, err)
	}
	s.dials.Add(1)
	return s.wrap(ctx, s.release(c, c.use(ctx, op)))
}

// limit returns the time for one server: at most 4/5 of what the caller has left, so that the other servers' answers can
// still be used if this server does not answer.
func (s *server) limit(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return s.timeout
	}
	return min(s.timeout, time.Until(deadline)*4/5)
}

func (s *server) takeIdle() *client {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.idle) > 0 {
		c := s.idle[len(s.idle)-1]
		s.idle = s.idle[:len(s.idle)-1]
		if time.Since(c.made) < s.lifetime {
			return c
		}
		c.close()
	}
	return nil
}

// release keeps a connection for the next operation, unless this operation failed. It returns the operation's error.
func (s *server) release(c *client, err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil || s.closed || len(s.idle) >= maxIdle || c.made.Before(s.renewed) {
		c.close()
		return err
	}
	s.idle = append(s.idle, c)
	return nil
}

func (s *server) dropIdle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.idle {
		c.close()
	}
	s.idle = nil
}

func (s *server) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.dropIdle()
}

// record records the outcome of a poll. It reports whether the server lost its data too recently for a missing key to
// prove anything.
func (s *server) record(err error, current stats, settling time.Duration, logger *slog.Logger) (emptied bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch failed, ended := s.failing.Update(err); {
	case failed && !s.closed:
		logger.Warn("A memcached server can't be read; members whose keys it had are unknown", "server", s.addr.String(), "err", err)
	case ended:
		logger.Info("A memcached server can be read again", "server", s.addr.String())
	}
	if err != nil {
		return false
	}
	now := time.Now()
	s.uptime.update(current, now)
	return now.Sub(s.uptime.since) < settling
}

// wrap adds the server's address and the reason to an error.
func (s *server) wrap(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	reason := drivers.ReasonQuery
	switch timeout, isNet := errors.AsType[net.Error](err); {
	case ctx.Err() != nil || isNet && timeout.Timeout():
		reason, err = drivers.ReasonTimeout, drivers.NoAnswer(ctx, err)
	case errors.Is(err, drivers.ErrUnavailable):
		reason = drivers.ReasonOf(err)
	case drivers.IsCertificateRefused(err):
		reason = drivers.ReasonAuth
	case isNet || isClosed(err):
		reason = drivers.ReasonConnect
	case strings.Contains(err.Error(), "unauthenticated"):
		reason, err = drivers.ReasonAuth, fmt.Errorf("the server requires a login (SASL or -Y), which is not supported: use tls with a client's certificate: %w", err)
	}
	return drivers.Unavailable(reason, fmt.Errorf("memcached %s: %w", s.addr, err))
}

// isClosed reports whether an error means that the connection ended, without being a [net.Error].
func isClosed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errConnLost)
}
