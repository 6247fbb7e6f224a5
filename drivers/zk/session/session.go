// Package session makes and keeps ZooKeeper sessions, and reads znodes in them. One session has exactly one TCP
// connection.
//
// The client library has no contexts and no time limits, reconnects without end, and can hang in several ways. So one
// connection of the library is used for one TCP connection and one session. When either ends, both are closed, and the next
// session starts from nothing: the library's code for reconnecting, for setting watches again and for authenticating again
// never runs. All bytes of the connection pass through this package. It cuts the connection when a request hangs, and it
// refuses servers that don't speak ZooKeeper's protocol before the library allocates the memory that they ask for.
//
// A [Dialer] makes a [Session], a [Reader] reads in it and remembers what it has read, and a [Keeper] replaces it when it
// ends.
package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"syscall"
	"time"

	zkclient "github.com/go-zookeeper/zk"

	"servicegroup_exporter/drivers"
)

// MaxRequests bounds the requests of one session that are in flight, and so the goroutines that wait for answers.
const MaxRequests = 128

// The limits of the length of a packet, in bytes. The library allocates buffers of these sizes.
const (
	maxReaderReply = 64 << 20 // the names of a million members
	maxPacket      = 32 << 10 // of what members send and receive
)

// A Session is one ZooKeeper session on one TCP connection. It ends when either ends, and never reconnects.
type Session struct {
	Server  string        // its address
	ID      int64         // as the server gave it
	Timeout time.Duration // as the server granted it

	host string // the server's name in the configuration

	conn  *zkclient.Conn
	wire  *wire
	slots chan struct{} // holds one token for each request in flight

	ready chan struct{} // closed when the server has given a session
	begun sync.Once
	done  chan struct{} // closed when the session has ended
	ended sync.Once
	err   error // why the session has ended; set before done is closed

	onWatch func(zkclient.Event)

	authMu sync.Mutex
	digest string // the last user:password that was sent to the server, guarded by authMu
}

// Options are what the sessions of one driver have in common.
type Options struct {
	Timeout  time.Duration // to ask the server for
	Logger   *slog.Logger
	Sessions *sync.WaitGroup      // counts the sessions that have not been cleaned up
	OnWatch  func(zkclient.Event) // called for each watch that fires; must not block; may be nil

	maxReply int // the longest packet to accept, in bytes; 0: maxPacket
}

// newSession asks the server at the other end of conn for a session and waits for it until ctx ends. It takes conn over,
// also when it fails. The caller has to authenticate.
func newSession(ctx context.Context, conn net.Conn, server string, opts Options) (*Session, error) {
	maxReply := cmp.Or(opts.maxReply, maxPacket)
	s := &Session{
		Server:  server,
		wire:    &wire{Conn: conn, limit: uint32(maxReply)},
		slots:   make(chan struct{}, MaxRequests),
		ready:   make(chan struct{}),
		done:    make(chan struct{}),
		onWatch: opts.OnWatch,
	}
	client, events, err := zkclient.Connect([]string{server}, opts.Timeout,
		zkclient.WithHostProvider(&oneServer{}),
		zkclient.WithDialer(s.dialOnce()),
		zkclient.WithEventCallback(s.onEvent),
		zkclient.WithMaxBufferSize(maxReply),
		zkclient.WithMaxConnBufferSize(maxPacket),
		zkclient.WithLogger(debugLog{opts.Logger}),
	)
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("preparing a session: %w", err)
	}
	s.conn = client
	opts.Sessions.Go(func() { s.cleanUp(events) })
	select {
	case <-s.ready:
		s.ID, s.Timeout = client.SessionID(), s.wire.sessionTimeout()
		return s, nil
	case <-s.done:
		return nil, errors.Unwrap(s.err) // There was no session that could be lost.
	case <-ctx.Done():
		s.cut(ctx.Err())
		return nil, fmt.Errorf("connected, but got no session: %w", drivers.NoAnswer(ctx, ctx.Err()))
	}
}

// dialOnce returns a dialer for the library that returns the session's connection once, and then an error.
func (s *Session) dialOnce() zkclient.Dialer {
	var used bool // The library calls the dialer from one goroutine.
	return func(string, string, time.Duration) (net.Conn, error) {
		if used {
			return nil, errAbandoned
		}
		used = true
		return s.wire, nil
	}
}

// onEvent is called from the library's goroutines for each event, before the library returns answers that it received
// after the event.
func (s *Session) onEvent(ev zkclient.Event) {
	switch {
	case ev.Type == zkclient.EventSession && ev.State == zkclient.StateHasSession:
		s.begun.Do(func() { close(s.ready) })
	case ev.Type == zkclient.EventSession && ev.State == zkclient.StateDisconnected:
		s.cut(s.disconnectCause())
	case ev.Type == zkclient.EventNotWatching: // The session has ended; done tells that.
	case ev.Type != zkclient.EventSession && s.onWatch != nil:
		s.onWatch(ev)
	}
}

// disconnectCause returns why the library has given up the connection. The network reports a reset if a server closes the
// connection before all of the handshake was read or sent.
func (s *Session) disconnectCause() error {
	err := s.wire.err
	switch closed := err == nil || errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET); {
	case closed && !s.wire.handshakeDone():
		return ErrNoSession
	case closed:
		return errConnectionEnded
	default:
		return err
	}
}

// cut ends the session as the death of this process would: it closes the connection, and the server lets the session
// expire after its timeout. Only the first call of cut and Close has an effect.
func (s *Session) cut(why error) {
	s.ended.Do(func() {
		s.err = &lostError{server: s.Server, err: why}
		s.wire.Close()
		close(s.done)
	})
}

// Abandon closes the connection, so that the session expires after its timeout.
func (s *Session) Abandon() { s.cut(errAbandoned) }

// Close ends the session in the background by a request to the server, which then removes the session's ephemeral znodes.
func (s *Session) Close() { s.end(ErrClosed) }

func (s *Session) end(why error) {
	s.ended.Do(func() {
		s.err = &lostError{server: s.Server, err: why}
		close(s.done)
	})
}

// cleanUp waits until the session has ended, and then until all goroutines of the library and all calls have returned. The
// library waits for up to three seconds for a server to answer the request that ends the session.
func (s *Session) cleanUp(events <-chan zkclient.Event) {
	<-s.done
	s.conn.Close()
	s.wire.Close()
	for range events { // The library closes the channel at its end.
	}
	for range cap(s.slots) { // When all slots are taken, no request is in flight.
		s.slots <- struct{}{}
	}
}

// authenticate sends user:password to the server unless it was the last one sent. Identities that were sent before stay
// valid.
func (s *Session) authenticate(ctx context.Context, digest string) error {
	s.authMu.Lock()
	defer s.authMu.Unlock()
	if digest == s.digest {
		return nil
	}
	_, err := Call(ctx, s, func(c *zkclient.Conn) (struct{}, error) {
		return struct{}{}, c.AddAuth("digest", []byte(digest))
	})
	if err == nil {
		s.digest = digest
	}
	return err
}

// Done returns a channel that is closed when the session has ended.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err returns why the session has ended. It must be called only after Done is closed.
func (s *Session) Err() error { return s.err }

// Ended reports whether the session has ended.
func (s *Session) Ended() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// requestTimeout returns how long the server may leave a request unanswered before the session is cut. The library itself
// notices only a server that sends nothing at all.
func (s *Session) requestTimeout() time.Duration { return max(2*s.Timeout, 5*time.Second) }

// Call calls do with the library's connection and returns when do returns, when ctx ends or when the session ends. If do
// continues after that, it counts as in flight until it returns, at the latest when the session ends.
func Call[T any](ctx context.Context, s *Session, do func(*zkclient.Conn) (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	var none T
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return none, drivers.NoAnswer(ctx, ctx.Err())
	case <-s.done:
		return none, s.err
	}
	results := make(chan result, 1)
	go func() {
		defer func() { <-s.slots }()
		watchdog := time.AfterFunc(s.requestTimeout(), func() { s.cut(errNoReply) })
		defer watchdog.Stop()
		value, err := do(s.conn)
		results <- result{value, err}
	}()
	select {
	case r := <-results:
		if endsSession(r.err) {
			s.cut(r.err)
			<-s.done
			return none, s.err
		}
		return r.value, r.err
	case <-ctx.Done():
		return none, drivers.NoAnswer(ctx, ctx.Err())
	case <-s.done:
		return none, s.err
	}
}

// oneServer is the library's list of servers. It has one server, and tells the library to pause before every attempt to
// connect again, so that a call of the library's Close finds it pausing.
type oneServer struct {
	name string
	used bool
}

// Init implements zk.HostProvider.
func (o *oneServer) Init(servers []string) error {
	o.name = servers[0]
	return nil
}

// Len implements zk.HostProvider.
func (*oneServer) Len() int { return 1 }

// Next implements zk.HostProvider.
func (o *oneServer) Next() (string, bool) {
	again := o.used
	o.used = true
	return o.name, again
}

// Connected implements zk.HostProvider.
func (*oneServer) Connected() {}

// debugLog logs what the client library prints, at the level debug: all of it is about single connections, which end and
// are replaced in normal operation.
type debugLog struct{ logger *slog.Logger }

// Printf implements zk.Logger.
func (l debugLog) Printf(format string, args ...any) {
	if l.logger.Enabled(context.Background(), slog.LevelDebug) {
		l.logger.Debug("ZooKeeper client library printed", "text", fmt.Sprintf(format, args...))
	}
}
