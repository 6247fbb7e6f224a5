package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	toolkit "github.com/prometheus/exporter-toolkit/web"
)

// idleTimeout is how long a kept-alive connection may wait for its next request, longer than usual scrape intervals.
const idleTimeout = 5 * time.Minute

// writeTimeout bounds one answer, the longest poll included, so that a client that does not read can't hold a scrape's
// slot for ever.
const writeTimeout = maxTimeout + time.Minute

// maxHeader bounds the header of a request in bytes: room for the longest names and for what proxies add.
const maxHeader = 64 << 10

// maxStreams bounds the requests that are in progress at once on one connection of HTTP/2.
const maxStreams = 100

// Serve answers with handler on all addresses until ctx ends, then lets requests in progress finish, for a bounded time.
// It returns nil after such an end, else why an address is served no longer. The addresses are closed in any case.
func (s *Server) Serve(ctx context.Context, handler http.Handler) error {
	// The toolkit wraps the handler of the server it is given, without a lock, so that each address has its own.
	servers := make([]*http.Server, len(s.listeners))
	ended := make(chan error, len(s.listeners))
	var serving sync.WaitGroup
	for i, l := range s.listeners {
		servers[i] = s.newServer(handler)
		serving.Go(func() { ended <- s.serveOne(l, servers[i]) })
	}
	var failed error
	select {
	case <-ctx.Done():
	case failed = <-ended:
	}
	s.stop(ctx, servers)
	serving.Wait()
	return errors.Join(failed, s.Close())
}

func (s *Server) newServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: s.readHeaderTimeout,
		ReadTimeout:       s.readTimeout, // of requests that are refused before drainBody sees them, too
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		ConnState:         newConnLimit(s.maxConns, s.logger).connState,
		ErrorLog:          slog.NewLogLogger(s.logger.Handler(), slog.LevelWarn),
	}
}

func (s *Server) serveOne(l net.Listener, server *http.Server) error {
	if err := toolkit.Serve(l, server, s.flags, s.logger); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving %s: %w", l.Addr(), err)
	}
	return nil
}

// stop accepts no more connections and waits for the requests in progress; what has not ended in time is cut off.
func (s *Server) stop(ctx context.Context, servers []*http.Server) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.grace)
	defer cancel()
	var stopping sync.WaitGroup
	for _, server := range servers {
		stopping.Go(func() {
			if server.Shutdown(ctx) == nil {
				return
			}
			s.logger.Warn("Requests were cut off at shutdown", "after", s.grace)
			if err := server.Close(); err != nil {
				s.logger.Warn("Closing connections failed", "err", err)
			}
		})
	}
	stopping.Wait()
}
