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

// A fakeRoster is a roster that a test fills, as an operator or a database would.
type fakeRoster struct {
	mu      sync.Mutex
	members []drivers.Member
	err     error
	closed  int
}

// rosterOf returns a roster of members of the group "compute".
func rosterOf(names ...string) *fakeRoster {
	r := &fakeRoster{}
	for _, name := range names {
		r.put(drivers.Member{Group: "compute", Name: name, Rostered: true})
	}
	return r
}

func (r *fakeRoster) Members(context.Context) (*drivers.Poll, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return nil, r.err
	}
	return &drivers.Poll{Members: append([]drivers.Member(nil), r.members...)}, nil
}

func (r *fakeRoster) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed++
	return nil
}

// put adds a member, or replaces the one of its name.
func (r *fakeRoster) put(m drivers.Member) {
	r.remove(m.Group, m.Name)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.members = append(r.members, m)
}

func (r *fakeRoster) remove(group, name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	kept := make([]drivers.Member, 0, len(r.members))
	for _, m := range r.members {
		if m.Group != group || m.Name != name {
			kept = append(kept, m)
		}
	}
	r.members = kept
}

func (r *fakeRoster) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
}

// config returns a configuration with short times.
func config(servers ...*testserver.MC) Config {
	cfg := DefaultConfig()
	for _, s := range servers {
		cfg.Servers = append(cfg.Servers, s.Addr())
	}
	cfg.ServiceDownTime = drivers.Duration(2 * time.Second)
	cfg.ReportInterval = drivers.Duration(300 * time.Millisecond)
	return cfg
}

// open opens a driver that is closed when the test ends.
func open(t *testing.T, cfg Config, roster drivers.Driver) *Driver {
	t.Helper()
	d, err := Open(cfg, roster, slog.New(slog.NewTextHandler(logWriter{t}, nil)))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

// logWriter writes a driver's log to the log of the test, which is shown when the test fails.
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

// verdictOf returns "up", "down", "unknown", "absent", or the reason of a rejection.
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
	}, time.Minute, 20*time.Millisecond, "%s is not %s", name, want)
}

// write writes a heartbeat to one server, as a service's client does that picked this server for the key.
func write(t *testing.T, d *Driver, server int, name string, at time.Time) {
	t.Helper()
	key, err := d.format.key(drivers.Key{Group: "compute", Name: name})
	require.NoError(t, err)
	require.NoError(t, d.servers[server].do(t.Context(), func(c *client) error {
		return c.Set(d.format.alive(key, at, d.cfg.DownTime()))
	}))
}

// erase deletes a heartbeat from a server, as the server itself does when it needs room.
func erase(t *testing.T, d *Driver, server int, name string) {
	t.Helper()
	key, err := d.format.key(drivers.Key{Group: "compute", Name: name})
	require.NoError(t, err)
	require.NoError(t, d.servers[server].do(t.Context(), func(c *client) error { return c.remove(key) }))
}

// short returns a context that ends after d.
func short(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
