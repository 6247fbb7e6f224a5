package mc

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// A book is a roster that tests write, as an operator or a database would.
type book struct {
	mu      sync.Mutex
	members []drivers.Member
	err     error
	closed  int
}

// bookOf lists members of the group "compute".
func bookOf(names ...string) *book {
	b := &book{}
	for _, name := range names {
		b.put(drivers.Member{Group: "compute", Name: name, Rostered: true})
	}
	return b
}

func (b *book) Members(context.Context) (*drivers.Poll, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return nil, b.err
	}
	return &drivers.Poll{Members: append([]drivers.Member(nil), b.members...)}, nil
}

func (b *book) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed++
	return nil
}

// put adds a member, or takes the place of the one of its name.
func (b *book) put(m drivers.Member) {
	b.strike(m.Group, m.Name)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.members = append(b.members, m)
}

func (b *book) strike(group, name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	kept := make([]drivers.Member, 0, len(b.members))
	for _, m := range b.members {
		if m.Group != group || m.Name != name {
			kept = append(kept, m)
		}
	}
	b.members = kept
}

func (b *book) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
}

// config is one in which heartbeats come often.
func config(servers ...*testserver.MC) Config {
	cfg := DefaultConfig()
	for _, s := range servers {
		cfg.Servers = append(cfg.Servers, s.Addr())
	}
	cfg.ServiceDownTime = drivers.Duration(2 * time.Second)
	cfg.ReportInterval = drivers.Duration(300 * time.Millisecond)
	return cfg
}

// open makes a driver that is closed when the test ends.
func open(t *testing.T, cfg Config, roster drivers.Driver) *Driver {
	t.Helper()
	d, err := Open(cfg, roster, slog.New(slog.NewTextHandler(logWriter{t}, nil)))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

// logWriter writes a driver's log to the test's, which shows it when the test fails.
type logWriter struct{ t *testing.T }

func (w logWriter) Write(line []byte) (int, error) {
	w.t.Log(string(line))
	return len(line), nil
}

// poll reads the members, which must succeed.
func poll(t *testing.T, d *Driver) *drivers.Poll {
	t.Helper()
	p, err := d.Members(t.Context())
	require.NoError(t, err)
	return p
}

// verdictOf is "up", "down", "unknown", "absent", or the reason of a rejection.
func verdictOf(p *drivers.Poll, name string) string {
	for _, r := range p.Rejected {
		if r.Name == name {
			return r.Reason
		}
	}
	for i := range p.Unknown {
		if p.Unknown[i].Name == name {
			return "unknown"
		}
	}
	switch m := find(p, name); {
	case m == nil:
		return "absent"
	case m.Up:
		return "up"
	}
	return "down"
}

// find returns a member that is up or down, or nil.
func find(p *drivers.Poll, name string) *drivers.Member {
	for i := range p.Members {
		if m := &p.Members[i]; m.Name == name {
			return m
		}
	}
	return nil
}

// eventually polls until a member has the verdict.
func eventually(t *testing.T, d *Driver, name, want string) {
	t.Helper()
	require.Eventually(t, func() bool {
		p, err := d.Members(t.Context())
		return err == nil && verdictOf(p, name) == want
	}, 20*time.Second, 20*time.Millisecond, "%s is not %s", name, want)
}

// write leaves a heartbeat on a server as a service would whose client chose it.
func write(t *testing.T, d *Driver, server int, name string, at time.Time) {
	t.Helper()
	key, err := d.how.key(drivers.Key{Group: "compute", Name: name})
	require.NoError(t, err)
	require.NoError(t, d.servers[server].do(t.Context(), func(l *link) error {
		return l.Set(d.how.heartbeat(key, at, d.cfg.downTime()))
	}))
}

// erase deletes a heartbeat from a server, as one does that needs room.
func erase(t *testing.T, d *Driver, server int, name string) {
	t.Helper()
	key, err := d.how.key(drivers.Key{Group: "compute", Name: name})
	require.NoError(t, err)
	require.NoError(t, d.servers[server].do(t.Context(), func(l *link) error { return l.remove(key) }))
}

// short ends before the default timeout does.
func short(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
