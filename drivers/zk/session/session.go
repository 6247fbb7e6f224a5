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
)

// MaxInFlight bounds the requests that one session has under way, and with them the goroutines that wait for answers.
const MaxInFlight = 128

// The longest packets in bytes. A reader takes the names of a million members; what members send and get is short, and
// each of them has buffers of this size.
const (
	maxReply  = 64 << 20
	smallSize = 32 << 10
)

// A Session is one ZooKeeper session on one TCP connection: when either ends, so does it. It never reconnects.
type Session struct {
	Server  string        // its address
	ID      int64         // known once ready is closed
	Timeout time.Duration // as granted by the server, known once ready is closed

	host string // what the server is called in the configuration

	conn  *zkclient.Conn
	wire  *wire
	slots chan struct{}

	ready chan struct{} // closed when the server has given a session
	begun sync.Once
	done  chan struct{} // closed when the session is over, for whatever cause
	over  sync.Once
	err   error // why; set before done is closed

	onWatch func(zkclient.Event)

	mu     sync.Mutex // serializes authentication
	digest string     // user:password that the server was told last
}

// Options are what sessions of one user have in common.
type Options struct {
	Timeout time.Duration // to ask for
	Logger  *slog.Logger
	Reapers *sync.WaitGroup      // counts the goroutines that wait for sessions' ends
	OnWatch func(zkclient.Event) // called for every watch that fires; must not block

	maxReply int // the longest packet to take, in bytes; 0: smallSize
}

// newSession asks the server at the other end of conn for a session and waits for it until ctx ends. It owns conn.
// Authentication is left to the caller.
func newSession(ctx context.Context, conn net.Conn, server string, opts Options) (*Session, error) {
	limit := cmp.Or(opts.maxReply, smallSize)
	s := &Session{
		Server:  server,
		wire:    &wire{Conn: conn, limit: uint32(limit)},
		slots:   make(chan struct{}, MaxInFlight),
		ready:   make(chan struct{}),
		done:    make(chan struct{}),
		onWatch: opts.OnWatch,
	}
	client, events, err := zkclient.Connect([]string{server}, opts.Timeout,
		zkclient.WithHostProvider(&oneServer{}),
		zkclient.WithDialer(s.dialOnce()),
		zkclient.WithEventCallback(s.onEvent),
		zkclient.WithMaxBufferSize(limit),
		zkclient.WithMaxConnBufferSize(smallSize),
		zkclient.WithLogger(libraryLog{opts.Logger}),
	)
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("preparing a session: %w", err)
	}
	s.conn = client
	opts.Reapers.Go(func() { s.reap(events) })
	select {
	case <-s.ready:
		s.ID, s.Timeout = client.SessionID(), s.wire.sessionTimeout()
		return s, nil
	case <-s.done:
		return nil, errors.Unwrap(s.err) // It was never there to be lost.
	case <-ctx.Done():
		s.cut(ctx.Err())
		return nil, fmt.Errorf("connected, but got no session in time: %w", ctx.Err())
	}
}

// dialOnce gives the library the one connection that it may have.
func (s *Session) dialOnce() zkclient.Dialer {
	var used bool // The library dials from one goroutine.
	return func(string, string, time.Duration) (net.Conn, error) {
		if used {
			return nil, errCut
		}
		used = true
		return s.wire, nil
	}
}

// onEvent is called from the library's goroutines, before the answers that it has received after the event.
func (s *Session) onEvent(ev zkclient.Event) {
	switch {
	case ev.Type == zkclient.EventSession && ev.State == zkclient.StateHasSession:
		s.begun.Do(func() { close(s.ready) })
	case ev.Type == zkclient.EventSession && ev.State == zkclient.StateDisconnected:
		s.cut(s.cause())
	case ev.Type == zkclient.EventNotWatching: // The session is over, which done tells.
	case ev.Type != zkclient.EventSession && s.onWatch != nil:
		s.onWatch(ev)
	}
}

// cause says why the library gave the connection up. A server that hangs up on a handshake may do so before all of that
// was read or even sent, which the network then reports as a reset.
func (s *Session) cause() error {
	why := s.wire.err
	hungUp := why == nil || errors.Is(why, io.EOF) || errors.Is(why, syscall.ECONNRESET)
	switch {
	case hungUp && !s.wire.greeted():
		return errors.New("it closed the connection without giving a session: it has no quorum, " +
			"or more connections from this host than its maxClientCnxns, or it speaks TLS only")
	case hungUp:
		return errors.New("it closed the connection")
	default:
		return why
	}
}

// cut ends the session as the death of this process would: without a word to the server, which expires it in its own
// time. Only the first of cut and close counts.
func (s *Session) cut(why error) {
	s.over.Do(func() {
		s.err = &lostError{server: s.Server, err: why}
		s.wire.Close()
		close(s.done)
	})
}

// Abandon cuts the session.
func (s *Session) Abandon() { s.cut(errCut) }

// Close ends the session by telling the server so, which removes its ephemeral znodes, in the background.
func (s *Session) Close() {
	s.over.Do(func() {
		s.err = &lostError{server: s.Server, err: ErrClosed}
		close(s.done)
	})
}

// reap waits for the session's end and then for that of the library's goroutines and of all calls. The library waits up to
// three seconds for a server to answer a farewell.
func (s *Session) reap(events <-chan zkclient.Event) {
	<-s.done
	s.conn.Close()
	s.wire.Close()
	for range events { // Closed by the library as its last act.
	}
	for range cap(s.slots) { // No call is under way when all slots are taken.
		s.slots <- struct{}{}
	}
}

// authenticate tells the server who we are, unless it knows. What it was told before stays true too.
func (s *Session) authenticate(ctx context.Context, digest string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
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

// Done is closed when the session is over, for whatever cause.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err says why the session is over. It may be called when Done is closed.
func (s *Session) Err() error { return s.err }

// Ended says whether the session is over.
func (s *Session) Ended() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// patience is how long the server may leave a request unanswered before the session is given up as wedged. The library
// itself notices only a server that says nothing at all.
func (s *Session) patience() time.Duration { return max(2*s.Timeout, 5*time.Second) }

// Call runs one call of the client library and returns when it does, when ctx ends or when the session is over. A call
// that goes on by itself counts among those in flight until it returns, which it does at the session's end at the
// latest.
func Call[T any](ctx context.Context, s *Session, do func(*zkclient.Conn) (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	var none T
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return none, ctx.Err()
	case <-s.done:
		return none, s.err
	}
	results := make(chan result, 1)
	go func() {
		defer func() { <-s.slots }()
		watchdog := time.AfterFunc(s.patience(), func() { s.cut(errNoReply) })
		defer watchdog.Stop()
		value, err := do(s.conn)
		results <- result{value, err}
	}()
	select {
	case r := <-results:
		if sessionOver(r.err) {
			s.cut(r.err)
			<-s.done
			return none, s.err
		}
		return r.value, r.err
	case <-ctx.Done():
		return none, ctx.Err()
	case <-s.done:
		return none, s.err
	}
}

// oneServer is the library's list of servers: the one that it is connected to. It tells the library to pause before
// every further attempt, so that closing finds it waiting.
type oneServer struct {
	name string
	used bool
}

// Init implements zkclient.HostProvider.
func (o *oneServer) Init(servers []string) error {
	o.name = servers[0]
	return nil
}

// Len implements zkclient.HostProvider.
func (*oneServer) Len() int { return 1 }

// Next implements zkclient.HostProvider.
func (o *oneServer) Next() (string, bool) {
	again := o.used
	o.used = true
	return o.name, again
}

// Connected implements zkclient.HostProvider.
func (*oneServer) Connected() {}
