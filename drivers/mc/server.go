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

	"github.com/bradfitz/gomemcache/memcache"

	"servicegroup_exporter/drivers"
)

// maxIdle is how many connections to a server are kept for the next operation.
const maxIdle = 2

// A server is one memcached.
type server struct {
	addr    address
	dialer  drivers.Dialer
	tls     *drivers.TLS
	timeout time.Duration
	dials   atomic.Uint64

	mu      sync.Mutex
	closed  bool
	idle    []*link
	memory  memory
	failing bool // the last poll could not read it, and that was logged
}

// do runs an operation on the server within the timeout. An operation that fails on a connection that had been idle is run
// again on a new one: the server may have gone and come back while nobody looked.
func (s *server) do(ctx context.Context, op func(*link) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.limit(ctx))
	defer cancel()
	l := s.takeIdle()
	if l != nil {
		if err := s.finish(l, l.use(ctx, op)); err == nil || ctx.Err() != nil {
			return s.failed(ctx, err)
		}
		s.dropIdle()
	}
	l, err := dial(ctx, s.dialer, s.tls, s.addr)
	if err != nil {
		return s.failed(ctx, err)
	}
	s.dials.Add(1)
	return s.failed(ctx, s.finish(l, l.use(ctx, op)))
}

// limit leaves a part of the caller's time to what comes after a server that does not answer: the other servers' answers
// are worth having.
func (s *server) limit(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return s.timeout
	}
	return min(s.timeout, time.Until(deadline)*4/5)
}

func (s *server) takeIdle() *link {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.idle) == 0 {
		return nil
	}
	l := s.idle[len(s.idle)-1]
	s.idle = s.idle[:len(s.idle)-1]
	return l
}

// finish keeps a connection for later, unless the operation failed on it.
func (s *server) finish(l *link, err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil || s.closed || len(s.idle) >= maxIdle {
		l.close()
		return err
	}
	s.idle = append(s.idle, l)
	return nil
}

func (s *server) dropIdle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.idle {
		l.close()
	}
	s.idle = nil
}

func (s *server) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.dropIdle()
}

// note takes in how a poll went. It says whether the server's memory is too young to prove anything.
func (s *server) note(err error, told stats, settling time.Duration, logger *slog.Logger) (blank bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch failed := err != nil; {
	case failed && !s.failing && !s.closed:
		logger.Warn("a memcached server can't be read: members whose keys it had are unknown", "err", err)
	case !failed && s.failing:
		logger.Info("a memcached server can be read again", "server", s.addr.String())
	}
	s.failing = err != nil
	if err != nil {
		return false
	}
	now := time.Now()
	s.memory.update(told, now)
	return now.Sub(s.memory.since) < settling
}

// failed wraps what went wrong with the reason and the server.
func (s *server) failed(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	reason := drivers.ReasonQuery
	switch timeout, isNet := errors.AsType[net.Error](err); {
	case ctx.Err() != nil || isNet && timeout.Timeout():
		reason, err = drivers.ReasonTimeout, fmt.Errorf("%w (no answer in time)", err)
	case errors.Is(err, drivers.ErrUnavailable):
		reason = drivers.ReasonOf(err)
	case drivers.IsCertificateRefused(err):
		reason = drivers.ReasonAuth
	case isNet || isCut(err):
		reason = drivers.ReasonConnect
	case strings.Contains(err.Error(), "unauthenticated"):
		reason = drivers.ReasonAuth
	}
	return drivers.Unavailable(reason, fmt.Errorf("memcached %s: %w", s.addr, err))
}

// isCut says whether an error is the end of a connection that is no error of the network's.
func isCut(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errSpent)
}

// getMany reads the items that there are. Each answer has the whole bound.
func (l *link) getMany(keys []string) (map[string]*memcache.Item, error) {
	l.conn.left = maxAnswer
	return l.GetMulti(keys)
}

// get reads one item, nil if there is none.
func (l *link) get(key string) (*memcache.Item, error) {
	item, err := l.Get(key)
	if errors.Is(err, memcache.ErrCacheMiss) {
		return nil, nil
	}
	return item, err
}

// remove deletes one item, if it is there.
func (l *link) remove(key string) error {
	if err := l.Delete(key); !errors.Is(err, memcache.ErrCacheMiss) {
		return err
	}
	return nil
}
