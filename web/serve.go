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

// idleTimeout is how long a connection may wait for its next request. It is longer than usual scrape intervals.
const idleTimeout = 5 * time.Minute

// writeTimeout bounds one answer, including the longest poll, so that a client that does not read can't block the slot of a
// scrape permanently.
const writeTimeout = maxTimeout + time.Minute

// maxHeader bounds the header of a request in bytes. It has room for the longest names and for the headers of proxies.
const maxHeader = 64 << 10

// maxStreams bounds the concurrent requests on one connection of HTTP/2.
const maxStreams = 100

// Serve answers with handler on all addresses until ctx ends, and then waits for requests in progress, for a bounded time. It
// returns nil after that, or the error that ended an address. The addresses are closed in both cases.
func (s *Server) Serve(ctx context.Context, handler http.Handler) error {
	// The toolkit changes the handler of its server without a lock, so that each address needs a server of its own.
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
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: s.readHeaderTimeout,
		ReadTimeout:       s.readTimeout, // also of requests that are refused before drainBody reads them
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		ConnState:         newConnLimit(s.maxConns, s.logger).connState,
		ErrorLog:          slog.NewLogLogger(s.logger.Handler(), slog.LevelWarn),
	}
	// Called after the toolkit has put its authentication around the handler, and before the first connection.
	server.BaseContext = func(net.Listener) context.Context {
		server.Handler = withoutLogin(handler, server.Handler)
		return context.Background()
	}
	return server
}

func (s *Server) serveOne(l net.Listener, server *http.Server) error {
	if err := toolkit.Serve(l, server, s.flags, s.logger); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving %s: %w", l.Addr(), err)
	}
	return nil
}

// stop accepts no more connections and waits for the requests in progress. It closes the connections of those that have not
// ended in time.
func (s *Server) stop(ctx context.Context, servers []*http.Server) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.grace)
	defer cancel()
	var stopping sync.WaitGroup
	for _, server := range servers {
		stopping.Go(func() {
			if server.Shutdown(ctx) == nil {
				return
			}
			s.logger.Warn("Requests did not end in time at shutdown, their connections were closed", "timeout", s.grace)
			if err := server.Close(); err != nil {
				s.logger.Warn("Closing connections failed", "err", err)
			}
		})
	}
	stopping.Wait()
}
