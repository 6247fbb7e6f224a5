package mc

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// The roster decides which members there are and their attributes, memcached which of them are up.
func TestRosterAndLiveness(t *testing.T) {
	t.Parallel()
	roster := &fakeRoster{}
	cfg := config(testserver.Memcached(t))
	cfg.ServiceDownTime = drivers.Duration(time.Minute)
	d := open(t, cfg, roster)
	attributes := drivers.Member{
		Group: "compute", Binary: "nova-compute", Zone: "az1", Rostered: true,
		Enabled: drivers.FlagNo, ForcedDown: drivers.FlagNo, UUID: "u", Version: "66", DisabledReason: "why",
	}
	list := func(name string, change func(*drivers.Member)) {
		m := attributes
		m.Name = name
		change(&m)
		roster.put(m)
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	list("fresh", func(m *drivers.Member) { m.LastHeartbeat = now.Add(-time.Hour) })
	list("old", func(m *drivers.Member) { m.Up, m.LastHeartbeat = true, now })
	list("never", func(m *drivers.Member) { m.Up, m.Died, m.SessionTimeout = true, now, time.Hour })
	list("forced", func(m *drivers.Member) { m.ForcedDown = drivers.FlagYes })
	list("future", func(*drivers.Member) {})
	list("invalid", func(*drivers.Member) {})
	roster.put(drivers.Member{Group: "scheduler", Name: "fresh", Rostered: true})
	beats := map[string]time.Time{
		"fresh": now.Add(-40 * time.Second), "old": now.Add(-61 * time.Second), "forced": now, "future": now.Add(time.Hour),
		"not in the roster": now,
	}
	for name, at := range beats {
		write(t, d, 0, name, at)
	}
	require.NoError(t, d.servers[0].do(t.Context(), func(c *client) error {
		return c.Set(&memcache.Item{Key: sha1Hex("compute:invalid"), Value: []byte("text")})
	}))
	waitUntilTrusted(t, d)

	p := poll(t, d)
	require.True(t, p.RosterIsGiven)
	require.Equal(t, time.Minute, p.DownTime)
	require.True(t, p.Now.IsZero(), "memcached's clock is not exact enough")
	require.Regexp(t, `^memcached \d`, p.Backend)
	require.Empty(t, p.Unknown)
	require.Equal(t, []drivers.Rejection{{Group: "compute", Name: "invalid", Reason: "data"}}, p.Rejected)
	require.Len(t, p.Members, 6)
	for name, want := range map[string]string{
		"fresh": "up", "old": "down", "never": "down", "forced": "down", "future": "up", "not in the roster": "absent",
	} {
		require.Equal(t, want, verdictOf(p, name), name)
		if m := find(p, name); m != nil && m.Group == "compute" {
			require.WithinDuration(t, beats[name], m.LastHeartbeat, time.Microsecond, name)
			want := attributes
			want.Name, want.Up, want.LastHeartbeat, want.ForcedDown = m.Name, m.Up, m.LastHeartbeat, m.ForcedDown
			require.Equal(t, want, *m)
			require.Equal(t, drivers.FlagOf(name == "forced"), m.ForcedDown)
		}
	}
	require.Equal(t, drivers.Member{Group: "scheduler", Name: "fresh", Rostered: true}, p.Members[5])
}

// waitUntilTrusted waits until servers that have just started have kept their data for long enough.
func waitUntilTrusted(t *testing.T, d *Driver) {
	t.Helper()
	testserver.Eventually(t, func() bool {
		poll(t, d)
		for _, s := range d.servers {
			s.mu.Lock()
			young := time.Since(s.uptime.since) < d.settling()
			s.mu.Unlock()
			if young {
				return false
			}
		}
		return true
	}, time.Minute, 50*time.Millisecond, "the servers are trusted")
}

// If the roster can't be read, the poll fails with the roster's reason.
func TestRosterFails(t *testing.T) {
	t.Parallel()
	roster := rosterOf("one")
	d := open(t, config(testserver.Memcached(t)), roster)
	for reason, err := range map[drivers.Reason]error{
		drivers.ReasonAuth:    drivers.Unavailable(drivers.ReasonAuth, errors.New("go away")),
		drivers.ReasonQuery:   errors.New("go away"),
		drivers.ReasonTimeout: fmt.Errorf("go away: %w", context.DeadlineExceeded),
	} {
		roster.fail(err)
		_, err := d.Members(t.Context())
		require.ErrorIs(t, err, drivers.ErrUnavailable)
		require.Equal(t, reason, drivers.ReasonOf(err))
		require.ErrorContains(t, err, "reading the roster: go away")
	}
	roster.fail(nil)
	poll(t, d)
}

// The roster's own rejections are passed on. Names that memcached can't store are rejected.
func TestRejections(t *testing.T) {
	t.Parallel()
	cfg := config(testserver.Memcached(t))
	cfg.KeyFormat = KeyFormatPlain
	d := open(t, cfg, fixedRoster{&drivers.Poll{
		Members:  []drivers.Member{{Group: "compute", Name: "a b"}, {Group: "compute", Name: "one"}},
		Unknown:  []drivers.Member{{Group: "compute", Name: "two"}},
		Rejected: []drivers.Rejection{{Name: "three", Reason: "duplicate"}},
	}})
	waitUntilTrusted(t, d)
	for range 2 {
		p := poll(t, d)
		require.Equal(t, []drivers.Rejection{
			{Name: "three", Reason: "duplicate"}, {Group: "compute", Name: "a b", Reason: "name"},
		}, p.Rejected)
		require.Len(t, p.Members, 2)
	}
}

// A fixedRoster is a roster that never changes.
type fixedRoster struct{ poll *drivers.Poll }

func (c fixedRoster) Members(context.Context) (*drivers.Poll, error) { return c.poll, nil }
func (c fixedRoster) Close() error                                   { return nil }
func (c fixedRoster) Counts() drivers.Counts {
	return drivers.Counts{Operations: 100, Reconnects: 10, Expirations: 1}
}

func TestList(t *testing.T) {
	roster := List(map[string][]string{"b": {"2", "1"}, "a": {"3"}})
	p, err := roster.Members(t.Context())
	require.NoError(t, err)
	require.Equal(t, []drivers.Member{
		{Group: "a", Name: "3", Rostered: true}, {Group: "b", Name: "1", Rostered: true}, {Group: "b", Name: "2", Rostered: true},
	}, p.Members)
	require.NoError(t, roster.Close())
}

// Many members take few requests, on one connection.
func TestManyMembers(t *testing.T) {
	const n = 10*batchSize + 1
	roster := &fakeRoster{}
	for i := range n {
		roster.members = append(roster.members, drivers.Member{Group: "compute", Name: strconv.Itoa(i), Rostered: true})
	}
	cfg := config(testserver.Memcached(t))
	cfg.ServiceDownTime, cfg.Timeout = drivers.Duration(time.Hour), drivers.Duration(time.Minute)
	d := open(t, cfg, roster)
	now := time.Now()
	require.NoError(t, d.servers[0].do(t.Context(), func(c *client) error {
		for i := range n {
			key := sha1Hex(fmt.Sprint("compute:", i))
			if err := c.Set(sha1Keys{}.alive(key, now, 0)); err != nil {
				return err
			}
		}
		return nil
	}))
	before := d.Counts()
	p := poll(t, d)
	require.Len(t, p.Members, n)
	for i := range p.Members {
		require.True(t, p.Members[i].Up)
	}
	require.Equal(t, uint64(12), d.Counts().Operations-before.Operations, "eleven batches, and the statistics")
	require.Zero(t, d.Counts().Reconnects)
}

func TestCounts(t *testing.T) {
	t.Parallel()
	server := testserver.Memcached(t)
	d := open(t, config(server), fixedRoster{&drivers.Poll{}})
	require.Equal(t, drivers.Counts{Operations: 100, Reconnects: 10, Expirations: 1}, d.Counts(), "the roster's are included")
	poll(t, d)
	require.Equal(t, drivers.Counts{Operations: 101, Reconnects: 10, Expirations: 1}, d.Counts())
	server.Kill()
	server.Start()
	poll(t, d)
	require.Equal(t, drivers.Counts{Operations: 103, Reconnects: 11, Expirations: 1}, d.Counts(),
		"one request failed on the old connection and was sent again on a new one")
}
