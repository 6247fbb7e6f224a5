package session

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"servicegroup_exporter/drivers"
)

// A Dialer makes sessions with any server of an ensemble.
type Dialer struct {
	Servers  []Server
	Net      drivers.Dialer
	TLS      *drivers.TLS // nil: connections are in clear text
	User     string       // of the digest scheme; empty: sessions are not authenticated
	Password drivers.Secret
	MaxPause time.Duration // between two attempts with one server
	Options  Options
	// OnSession is called for each new session with the session timeout that the server has granted; it may be nil.
	OnSession func(granted time.Duration)
}

// minAttempt is the shortest time limit of an attempt with one server.
const minAttempt = 250 * time.Millisecond

// attemptTimeout returns how long one attempt may take. The first one has a third of the session timeout. After attempts
// that timed out, the next has twice the time, up to the whole session timeout: a server that is busy with making
// sessions for many clients must have time to answer before it is asked again.
func (d *Dialer) attemptTimeout(timeouts int) time.Duration {
	longest := max(d.Options.Timeout, minAttempt)
	return min(max(longest/3, minAttempt)<<min(timeouts, 2), longest)
}

// stagger returns how long a server has to answer before the next server is asked, too. It is short, so that a member gets
// a new session before its old one expires even if the first servers that it asks are frozen.
func (d *Dialer) stagger() time.Duration { return max(d.Options.Timeout/16, 10*time.Millisecond) }

// Dial asks the servers for a session, in random order, and asks each of them again until one gives a session or ctx ends.
// It returns the first session, and adds all failures to failures.
func (d *Dialer) Dial(ctx context.Context, failures *Failures) (*Session, error) {
	ctx, cancel := context.WithCancel(ctx)
	r := race{dialer: d, failures: failures, winner: make(chan *Session)}
	var attempts sync.WaitGroup
	defer attempts.Wait()
	defer cancel()
	var previous <-chan struct{} // closed when the server before has failed
	for i, n := range rand.Perm(len(d.Servers)) {
		early, failed := previous, make(chan struct{})
		previous = failed
		attempts.Go(func() {
			if pause(ctx, time.Duration(i)*d.stagger(), early) {
				r.tryServer(ctx, d.Servers[n], sync.OnceFunc(func() { close(failed) }))
			}
		})
	}
	select {
	case s := <-r.winner:
		return s, nil
	case <-ctx.Done():
		return nil, failures.timedOut(ctx)
	}
}

// A race is what the goroutines of one Dial share. Each of them asks one server.
type race struct {
	dialer   *Dialer
	failures *Failures
	winner   chan *Session
}

// tryServer asks one server for a session until it gives one or ctx ends. It calls failed after each failure.
func (r *race) tryServer(ctx context.Context, server Server, failed func()) {
	pauses := Backoff{Limit: r.dialer.MaxPause}
	for timeouts := 0; ; {
		s, err := r.dialer.attempt(ctx, server, timeouts)
		if err == nil {
			select {
			case r.winner <- s:
			case <-ctx.Done(): // Another server was faster.
				s.Close()
			}
			return
		}
		if ctx.Err() != nil {
			return
		}
		r.failures.add(server, err)
		failed()
		if timeouts++; drivers.ReasonOf(err) != drivers.ReasonTimeout {
			timeouts = 0
		}
		if !pauses.Pause(ctx) {
			return
		}
	}
}

// attempt makes one authenticated session with one server; timeouts is how many attempts before have timed out.
func (d *Dialer) attempt(ctx context.Context, server Server, timeouts int) (*Session, error) {
	ctx, cancel := drivers.WithLimit(ctx, d.attemptTimeout(timeouts))
	defer cancel()
	conn, err := d.connect(ctx, server)
	if err != nil {
		return nil, attemptError(ctx, drivers.ReasonConnect, err)
	}
	address := conn.RemoteAddr().String()
	s, err := newSession(ctx, conn, address, d.Options)
	if err != nil {
		return nil, attemptError(ctx, drivers.ReasonSession, fmt.Errorf("%s: %w", address, err))
	}
	s.host = server.host
	if d.OnSession != nil {
		d.OnSession(s.Timeout)
	}
	if err := d.authenticate(ctx, s); err != nil {
		s.Close()
		return nil, attemptError(ctx, drivers.ReasonAuth, fmt.Errorf("%s: authenticating: %w", address, err))
	}
	return s, nil
}

// attemptError returns the error of an attempt. Its reason is the given one, of the step that failed, unless the error
// itself has a better one.
func attemptError(ctx context.Context, reason drivers.Reason, err error) error {
	switch {
	case ctx.Err() != nil || drivers.HasNoAnswer(err):
		reason = drivers.ReasonTimeout
	case errors.Is(err, drivers.ErrUnavailable):
		reason = drivers.ReasonOf(err)
	case drivers.IsCertificateRefused(err):
		reason = drivers.ReasonAuth
	case errors.Is(err, errNotZooKeeper):
		reason = drivers.ReasonConnect
	}
	return drivers.Unavailable(reason, err)
}

// authenticate sends the user and the password. The server accepts any digest; a wrong one shows only when a read fails.
func (d *Dialer) authenticate(ctx context.Context, s *Session) error {
	if d.User == "" {
		return nil
	}
	password, err := d.Password.Read()
	if err != nil {
		return fmt.Errorf("reading the password: %w", err)
	}
	return s.authenticate(ctx, d.User+":"+password)
}

// Reauthenticate authenticates again if the password has been replaced since. While the password can't be read, the
// session keeps the old one.
func (d *Dialer) Reauthenticate(ctx context.Context, s *Session) error {
	password, err := d.Password.Read()
	if err != nil || d.User == "" {
		return nil
	}
	return s.authenticate(ctx, d.User+":"+password)
}
