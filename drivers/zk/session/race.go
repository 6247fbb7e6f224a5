package session

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"servicegroup_exporter/drivers"
)

// A Dialer makes sessions with any of an ensemble's servers.
type Dialer struct {
	Servers  []Server
	Net      drivers.Dialer
	TLS      *drivers.TLS
	User     string // of the digest scheme; empty: nobody
	Password drivers.Secret
	MaxPause time.Duration // between attempts with one server
	Options  Options
}

// An attempt with one server begins with a third of the session timeout to succeed in. As long as all that is heard is
// silence, each has twice the time of the one before, up to the whole timeout: a server that is busy with making sessions
// for everybody else must not be asked for one again before it could answer.
const minAttempt = 250 * time.Millisecond

func (d *Dialer) attemptTime(silent int) time.Duration {
	longest := max(d.Options.Timeout, minAttempt)
	return min(max(longest/3, minAttempt)<<min(silent, 2), longest)
}

// stagger is how long a server has to answer before the next one is asked too. It is short enough for a member to be back
// before its session expires even if the first servers that it asks are frozen.
func (d *Dialer) stagger() time.Duration { return max(d.Options.Timeout/16, 10*time.Millisecond) }

// Dial asks the servers in random order, each until it gives a session, and returns the first session or when ctx ends.
// Each failure is noted in seen.
func (d *Dialer) Dial(ctx context.Context, seen *Failures) (*Session, error) {
	ctx, cancel := context.WithCancel(ctx)
	h := hunt{dialer: d, seen: seen, found: make(chan *Session)}
	var pursuits sync.WaitGroup
	defer pursuits.Wait()
	defer cancel()
	var turn <-chan struct{}
	for i, n := range rand.Perm(len(d.Servers)) {
		after := turn
		failed := make(chan struct{})
		turn = failed
		pursuits.Go(func() {
			if wait(ctx, time.Duration(i)*d.stagger(), after) {
				h.pursue(ctx, d.Servers[n], sync.OnceFunc(func() { close(failed) }))
			}
		})
	}
	select {
	case s := <-h.found:
		return s, nil
	case <-ctx.Done():
		return nil, seen.noSession(ctx.Err())
	}
}

// A hunt is what the goroutines of one dial share.
type hunt struct {
	dialer *Dialer
	seen   *Failures
	found  chan *Session
}

// pursue asks one server for a session until it gives one or ctx ends. It calls failed when it has failed.
func (h *hunt) pursue(ctx context.Context, to Server, failed func()) {
	pauses := Backoff{Limit: h.dialer.MaxPause}
	for silent := 0; ; {
		s, err := h.dialer.attempt(ctx, to, silent)
		if err == nil {
			select {
			case h.found <- s:
			case <-ctx.Done(): // Another server was faster.
				s.Close()
			}
			return
		}
		if ctx.Err() != nil {
			return
		}
		h.seen.note(to, err)
		failed()
		if silent++; drivers.ReasonOf(err) != drivers.ReasonTimeout {
			silent = 0
		}
		if !pauses.Pause(ctx) {
			return
		}
	}
}

// attempt makes one session with one server, authenticated.
func (d *Dialer) attempt(ctx context.Context, to Server, silent int) (*Session, error) {
	ctx, cancel := context.WithTimeout(ctx, d.attemptTime(silent))
	defer cancel()
	conn, err := d.connect(ctx, to)
	if err != nil {
		return nil, failure(ctx, drivers.ReasonConnect, err)
	}
	address := conn.RemoteAddr().String()
	s, err := newSession(ctx, conn, address, d.Options)
	if err != nil {
		return nil, failure(ctx, drivers.ReasonSession, fmt.Errorf("%s: %w", address, err))
	}
	s.host = to.host
	if err := d.authenticate(ctx, s); err != nil {
		s.Close()
		return nil, failure(ctx, drivers.ReasonAuth, fmt.Errorf("%s: authenticating: %w", address, err))
	}
	return s, nil
}

// failure says why an attempt failed: at the stage it got to, unless the error says more.
func failure(ctx context.Context, stage drivers.Reason, err error) error {
	switch {
	case ctx.Err() != nil:
		stage = drivers.ReasonTimeout
	case errors.Is(err, drivers.ErrUnavailable):
		stage = drivers.ReasonOf(err)
	case drivers.IsCertificateRefused(err):
		stage = drivers.ReasonAuth
	case errors.Is(err, errNotZooKeeper):
		stage = drivers.ReasonConnect
	}
	return drivers.Unavailable(stage, err)
}

// authenticate tells the server who we are. It believes any digest; whether it is the right one shows when something is
// read.
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

// Reauthenticate does so again if the password was replaced since. One that can't be read just now leaves all as it was.
func (d *Dialer) Reauthenticate(ctx context.Context, s *Session) error {
	password, err := d.Password.Read()
	if err != nil || d.User == "" {
		return nil
	}
	return s.authenticate(ctx, d.User+":"+password)
}

// connect connects to a server, to any of its addresses if it has several. Names are looked up anew each time, since
// servers move, and addresses are tried in random order, since each may be a server of its own.
func (d *Dialer) connect(ctx context.Context, to Server) (net.Conn, error) {
	hosts, err := net.DefaultResolver.LookupHost(ctx, to.host)
	if err != nil {
		return nil, fmt.Errorf("%v: %w", to, err)
	}
	rand.Shuffle(len(hosts), func(i, j int) { hosts[i], hosts[j] = hosts[j], hosts[i] })
	deadline, _ := ctx.Deadline()
	for i, host := range hosts {
		share := time.Until(deadline) / time.Duration(len(hosts)-i)
		var conn net.Conn
		if conn, err = d.open(ctx, share, net.JoinHostPort(host, to.port), to.host); err == nil {
			return conn, nil
		}
	}
	return nil, fmt.Errorf("%v: %w", to, err)
}

// open makes a connection to an address of the host within a time, encrypted where that is configured.
func (d *Dialer) open(ctx context.Context, limit time.Duration, address, host string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	conn, err := d.Net(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return d.TLS.Client(ctx, conn, host)
}
