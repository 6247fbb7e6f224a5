package zk

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"time"

	zkclient "github.com/go-zookeeper/zk"

	"servicegroup_exporter/drivers"
)

// A dialer makes sessions with any of an ensemble's servers.
type dialer struct {
	servers []server
	auth    Auth
	options sessionOptions
}

// The time that one attempt with one server may take: it begins with a third of the session timeout, so that there is
// time for another server before a session expires, and doubles with each round in which no server gave a session.
const (
	minAttempt = 250 * time.Millisecond
	maxAttempt = 10 * time.Second
)

func (d *dialer) attemptTime(round int) time.Duration {
	return min(max(d.options.timeout/3, minAttempt)<<min(round, 10), maxAttempt)
}

// dial tries every address of every server once, in random order, until one gives a session. The round counts the
// fruitless ones before. The error wraps drivers.ErrUnavailable and says what was seen of each address.
func (d *dialer) dial(ctx context.Context, round int, onNode func(string)) (*session, error) {
	var failures []error
	for _, i := range rand.Perm(len(d.servers)) {
		addresses, err := d.resolve(ctx, d.servers[i], round)
		if err != nil {
			failures = append(failures, failure(ctx, drivers.ReasonConnect, err))
			continue
		}
		for _, address := range addresses {
			s, err := d.attempt(ctx, address, round, onNode)
			if err == nil {
				return s, nil
			}
			failures = append(failures, err)
		}
	}
	return nil, noSession(failures)
}

// resolve gives the addresses of a server in random order. Names are looked up anew each time, since servers move.
func (d *dialer) resolve(ctx context.Context, s server, round int) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, d.attemptTime(round))
	defer cancel()
	hosts, err := net.DefaultResolver.LookupHost(ctx, s.host)
	if err != nil {
		return nil, fmt.Errorf("%v: %w", s, err)
	}
	rand.Shuffle(len(hosts), func(i, j int) { hosts[i], hosts[j] = hosts[j], hosts[i] })
	for i := range hosts {
		hosts[i] = net.JoinHostPort(hosts[i], s.port)
	}
	return hosts, nil
}

// attempt makes one session with one address, authenticated.
func (d *dialer) attempt(ctx context.Context, address string, round int, onNode func(string)) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, d.attemptTime(round))
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, failure(ctx, drivers.ReasonConnect, err) // It names the address.
	}
	s, err := newSession(ctx, conn, address, d.options, onNode)
	if err != nil {
		return nil, failure(ctx, drivers.ReasonSession, fmt.Errorf("%s: %w", address, err))
	}
	if err := d.authenticate(ctx, s); err != nil {
		s.close()
		return nil, failure(ctx, drivers.ReasonAuth, fmt.Errorf("%s: authenticating: %w", address, err))
	}
	return s, nil
}

// failure says why an attempt failed, other reasons than the stage it got to coming first.
func failure(ctx context.Context, stage drivers.Reason, err error) error {
	switch {
	case ctx.Err() != nil:
		stage = drivers.ReasonTimeout
	case errors.Is(err, errNotZooKeeper):
		stage = drivers.ReasonConnect
	}
	return drivers.Unavailable(stage, err)
}

// authenticate tells the server who we are. It believes any digest; whether it is the right one shows when something is
// read.
func (d *dialer) authenticate(ctx context.Context, s *session) error {
	if d.auth.User == "" {
		return nil
	}
	digest := []byte(d.auth.User + ":" + string(d.auth.Password))
	_, err := call(ctx, s, func(c *zkclient.Conn) (struct{}, error) {
		return struct{}{}, c.AddAuth("digest", digest)
	})
	return err
}

// noSession joins what was seen of each address on one line. The reason is that of the failure that came furthest.
func noSession(failures []error) error {
	rank := []drivers.Reason{drivers.ReasonConnect, drivers.ReasonTimeout, drivers.ReasonSession, drivers.ReasonAuth}
	best := 0
	texts := make([]string, len(failures))
	for i, err := range failures {
		texts[i] = err.Error()
		best = max(best, slices.Index(rank, drivers.ReasonOf(err)))
	}
	return drivers.Unavailable(rank[best], fmt.Errorf("no session with any ZooKeeper server: %s", strings.Join(texts, "; ")))
}

// acl is what new znodes get: open to everybody, as Nova's are, unless an identity is configured. Then only it may
// write, and everybody may read.
func (d *dialer) acl() []zkclient.ACL {
	if d.auth.User == "" {
		return zkclient.WorldACL(zkclient.PermAll)
	}
	return append(zkclient.AuthACL(zkclient.PermAll), zkclient.WorldACL(zkclient.PermRead)...)
}

// A backoff spaces attempts out.
type backoff struct {
	wait, limit time.Duration
	round       int // attempts since the last success
}

const firstWait = 50 * time.Millisecond

// pause waits before the next attempt, between half the current wait and all of it, and doubles it. It returns false
// when ctx ended.
func (b *backoff) pause(ctx context.Context) bool {
	b.wait = min(max(2*b.wait, firstWait), b.limit)
	b.round++
	timer := time.NewTimer(b.wait/2 + rand.N(b.wait/2))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// lasted notes a success and how long it was of use. It says whether that was long enough to try again at once.
func (b *backoff) lasted(d time.Duration) bool {
	b.round = 0
	if d < b.limit {
		return false
	}
	b.wait = 0
	return true
}
