package zk_test

import (
	"testing"
	"time"

	zkclient "github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk"
)

// Each subtest has its own prefix on one server.
func TestLayouts(t *testing.T) {
	t.Parallel()
	server := emptyServer(t)
	c := otherClient(t, server.Addr())
	at := func(prefix, layout string, groups ...string) zk.Config {
		cfg := config(server)
		cfg.Prefix, cfg.Layout, cfg.Groups = prefix, layout, groups
		return cfg
	}

	t.Run("no prefix", func(t *testing.T) {
		d := open(t, at("/nothing", zk.LayoutAuto))
		require.Empty(t, poll(t, d).Members)
		drainSignal(d)
		createTree(t, c, "/nothing", "")
		requireSignal(t, d, "the prefix was created")
		require.Empty(t, poll(t, d).Members)
	})

	t.Run("flat, as Nova 2013.1 to 2014.2", func(t *testing.T) {
		createTree(t, c, "/flat", "", "/flat/compute", "ZKMembers", "/flat/conductor", "ZKMembers", "/flat/compute/leader", "")
		create(t, c, "/flat/compute/h1", "0.7364712", zkclient.FlagEphemeral)
		create(t, c, "/flat/conductor/h2", "0.1", zkclient.FlagEphemeral)
		d := open(t, at("/flat", zk.LayoutAuto))
		require.Equal(t, map[string]string{"compute/h1": "up", "conductor/h2": "up"}, states(poll(t, d)))
		require.False(t, find(t, poll(t, d), "compute", "h1").Rostered, "ZooKeeper forgets members of other programs")
		require.Equal(t, sessionTimeout, poll(t, d).DownTime)

		require.NoError(t, c.Delete("/flat/compute/h1", -1))
		require.Equal(t, map[string]string{"conductor/h2": "up"}, states(poll(t, d)))
		require.Equal(t, map[string]string{"compute/x": "up"}, func() map[string]string {
			create(t, c, "/flat/compute/x", "", zkclient.FlagEphemeral)
			return states(poll(t, open(t, at("/flat", zk.LayoutAuto, "compute", "absent"))))
		}(), "only the configured groups")
	})

	t.Run("nested, as Nova 2015.1.0b2", func(t *testing.T) {
		createTree(t, c, "/nested", "", "/nested/compute", "ZKMembers", "/nested/compute/h1", "ZKMembers",
			"/nested/compute/h2", "ZKMembers", "/nested/compute/locks", "something", "/nested/compute/nine", "ZKmembers")
		create(t, c, "/nested/compute/h1/4711", "0.5", zkclient.FlagEphemeral)
		create(t, c, "/nested/compute/locks/1", "", zkclient.FlagEphemeral)
		d := open(t, at("/nested", zk.LayoutAuto))
		require.Equal(t, map[string]string{"compute/h1": "up", "compute/h2": "down"}, states(poll(t, d)))
		require.True(t, find(t, poll(t, d), "compute", "h2").Rostered, "its persistent znode exists")

		drainSignal(d)
		before := time.Now()
		require.NoError(t, c.Delete("/nested/compute/h1/4711", -1))
		requireSignal(t, d, "the only process of h1 has ended")
		p := poll(t, d)
		require.Equal(t, "down", states(p)["compute/h1"])
		require.WithinRange(t, p.Changed["compute"], before, time.Now())
		create(t, c, "/nested/compute/h2/1", "0.5", zkclient.FlagEphemeral)
		require.Equal(t, map[string]string{"compute/h1": "down", "compute/h2": "up"}, states(poll(t, d)))

		require.ErrorIs(t, d.Leave(t.Context(), "compute", "h2"), drivers.ErrNameTaken, "it has a process")
		require.ErrorIs(t, d.Leave(t.Context(), "compute", "locks"), drivers.ErrNoMember)
		require.NoError(t, d.Leave(t.Context(), "compute", "h1"))
		require.Equal(t, map[string]string{"compute/h2": "up"}, states(poll(t, d)))
	})

	t.Run("all kinds, with each layout", func(t *testing.T) {
		createTree(t, c, "/both", "", "/both/g", "ZKMembers", "/both/g/nested", "ZKMembers")
		create(t, c, "/both/g/flat", "0.5", zkclient.FlagEphemeral)
		for layout, want := range map[string]map[string]string{
			zk.LayoutAuto:   {"g/flat": "up", "g/nested": "down", "g/ours": "up"},
			zk.LayoutFlat:   {"g/flat": "up", "g/ours": "up"},
			zk.LayoutNested: {"g/nested": "down", "g/ours": "up"},
		} {
			d := open(t, at("/both", layout))
			m := join(t, d, "g", "ours")
			require.Equal(t, want, states(poll(t, d)), layout)
			require.NoError(t, m.Leave(t.Context()))
		}
	})

	t.Run("a znode is replaced by one of another kind", func(t *testing.T) {
		createTree(t, c, "/kinds", "", "/kinds/g", "", "/kinds/g/a", "other", "/kinds/g/b", "ZKMembers")
		d := open(t, at("/kinds", zk.LayoutAuto))
		require.Equal(t, map[string]string{"g/b": "down"}, states(poll(t, d)))
		for _, name := range []string{"a", "b"} {
			require.NoError(t, c.Delete("/kinds/g/"+name, -1))
			create(t, c, "/kinds/g/"+name, "0.5", zkclient.FlagEphemeral)
		}
		require.Equal(t, map[string]string{"g/a": "up", "g/b": "up"}, states(poll(t, d)))
	})

	t.Run("groups come and go", func(t *testing.T) {
		d := open(t, at("/groups", zk.LayoutAuto))
		require.Empty(t, poll(t, d).Members)
		for range 3 {
			m := join(t, d, "g", "one")
			require.Equal(t, map[string]string{"g/one": "up"}, states(poll(t, d)))
			require.NoError(t, m.Leave(t.Context()))
			require.Empty(t, poll(t, d).Members)
			require.NoError(t, c.Delete("/groups/g", -1))
			require.NoError(t, c.Delete("/groups/.roster/g", -1))
			require.Empty(t, poll(t, d).Members)
		}
	})

	// Join writes what a reader of Nova's flat layout expects, and no other znode looks like a group.
	t.Run("znodes that Join creates", func(t *testing.T) {
		cfg := at("/sub/prefix", zk.LayoutAuto)
		cfg.Chroot = "/chroot/deep"
		d := open(t, cfg)
		join(t, d, "compute", "h1")
		for path, want := range map[string]string{
			"/chroot/deep/sub/prefix": "", "/chroot/deep/sub/prefix/compute": "ZKMembers",
			"/chroot/deep/sub/prefix/.roster/compute": "",
		} {
			value, stat, err := c.Get(path)
			require.NoError(t, err, path)
			require.Equal(t, want, string(value), path)
			require.Zero(t, stat.EphemeralOwner, path)
		}
		_, stat, err := c.Get("/chroot/deep/sub/prefix/compute/h1")
		require.NoError(t, err)
		require.NotZero(t, stat.EphemeralOwner)
		_, stat, err = c.Get("/chroot/deep/sub/prefix/.roster/compute/h1")
		require.NoError(t, err)
		require.Zero(t, stat.EphemeralOwner)
		require.Equal(t, map[string]string{"compute/h1": "up"}, states(poll(t, d)))
	})
}

// drainSignal receives a signal if there is one.
func drainSignal(d *zk.Driver) {
	select {
	case <-d.Changed():
	default:
	}
}

// requireSignal waits for a signal.
func requireSignal(t *testing.T, d *zk.Driver, why string) {
	t.Helper()
	select {
	case <-d.Changed():
	case <-time.After(prompt):
		t.Fatalf("no signal although %s", why)
	}
}
