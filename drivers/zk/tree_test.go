package zk_test

import (
	"fmt"
	"testing"
	"time"

	zkclient "github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk"
	"servicegroup_exporter/drivers/zk/layout"
)

// custom returns a configuration with a custom layout below a prefix.
func custom(prefix string, c layout.Custom, servers ...string) zk.Config {
	cfg := configFor(servers...)
	cfg.Prefix, cfg.Layout, cfg.Custom = prefix, zk.LayoutCustom, &c
	return cfg
}

// set changes a znode's data.
func set(t *testing.T, c *zkclient.Conn, path, value string) {
	t.Helper()
	_, err := c.Set(path, []byte(value), -1)
	require.NoError(t, err)
}

// Each subtest has its own prefix on one server.
func TestTree(t *testing.T) {
	t.Parallel()
	server := emptyServer(t)
	c := otherClient(t, server.Addr())
	ephemeral := func(path, value string) { createWithParents(t, c, path, value, zkclient.FlagEphemeral) }
	status := &layout.Check{Field: "status", Is: []string{"UP", "WARNING"}}

	t.Run("levels that do not exist yet", func(t *testing.T) {
		d := open(t, custom("/later", layout.Custom{Paths: []string{"/a/{group}/{member}/alive"}}, server.Addr()))
		require.Empty(t, poll(t, d).Members)
		for _, path := range []string{"/later/a", "/later/a/g", "/later/a/g/m"} {
			createWithParents(t, c, path, "", zkclient.FlagPersistent)
			require.Empty(t, poll(t, d).Members)
		}
		drainSignal(d)
		ephemeral("/later/a/g/m/alive", "")
		requireSignal(t, d, "the last level was created")
		require.Equal(t, map[string]string{"g/m": "up"}, states(poll(t, d)))
	})

	t.Run("a status in the data", func(t *testing.T) {
		d := open(t, custom("/status", layout.Custom{Paths: []string{"/{group}/{member}"}, Status: status}, server.Addr()))
		ephemeral("/status/g/a", `{"status": "UP"}`)
		ephemeral("/status/g/b", `{"weight": 1}`)
		require.Equal(t, map[string]string{"g/a": "up", "g/b": "up"}, states(poll(t, d)))

		drainSignal(d)
		before := time.Now()
		set(t, c, "/status/g/a", `{"status": "STOPPING"}`)
		requireSignal(t, d, "the status changed")
		p := poll(t, d)
		require.Equal(t, map[string]string{"g/a": "down", "g/b": "up"}, states(p))
		require.WithinRange(t, p.Changed["g"], before, time.Now())
		require.Empty(t, poll(t, d).Changed, "it is reported once")

		set(t, c, "/status/g/a", `{"sta`)
		p = poll(t, d)
		require.Equal(t, map[string]string{"g/b": "up"}, states(p))
		require.Equal(t, []drivers.Member{{Group: "g", Name: "a"}}, p.Unknown, "its data can't be read")
		require.Equal(t, []drivers.Rejection{{Group: "g", Name: "a", Reason: "data"}}, p.Rejected)
		set(t, c, "/status/g/a", `{"status": "WARNING"}`)
		require.Equal(t, map[string]string{"g/a": "up", "g/b": "up"}, states(poll(t, d)))
	})

	t.Run("a name in the data", func(t *testing.T) {
		cfg := custom("/named", layout.Custom{Paths: []string{"/{group}/{member}"}, Name: "{host}"}, server.Addr())
		d := open(t, cfg)
		ephemeral("/named/g/1", `{"host": "a"}`)
		require.Equal(t, map[string]string{"g/a": "up"}, states(poll(t, d)))
		set(t, c, "/named/g/1", "damaged")
		p := poll(t, d)
		require.Equal(t, map[string]string{"g/a": "up"}, states(p), "it is the same znode")
		require.Len(t, p.Rejected, 1)
		require.Empty(t, poll(t, open(t, cfg)).Members, "its name was never read")
		require.NoError(t, c.Delete("/named/g/1", -1))
		ephemeral("/named/g/1", "damaged")
		require.Empty(t, poll(t, d).Members, "it is another znode")
		ephemeral("/named/g/2", `{"host": ""}`)
		require.Equal(t, "name", poll(t, d).Rejected[1].Reason)
	})

	t.Run("a znode that is created again, persistent", func(t *testing.T) {
		d := open(t, custom("/kind", layout.Custom{Paths: []string{"/{group}/{member}"}}, server.Addr()))
		ephemeral("/kind/g/a", "")
		require.Equal(t, map[string]string{"g/a": "up"}, states(poll(t, d)))
		require.NoError(t, c.Delete("/kind/g/a", -1))
		createWithParents(t, c, "/kind/g/a", "", zkclient.FlagPersistent)
		require.Empty(t, poll(t, d).Members)
		p := poll(t, open(t, custom("/kind", layout.Custom{Paths: []string{"/{group}/{member}"}, Persistent: true}, server.Addr())))
		require.Equal(t, map[string]string{"g/a": "up"}, states(p))
		require.True(t, p.Members[0].Rostered, "a persistent znode stays until the member is removed")
	})

	t.Run("the levels of a path", func(t *testing.T) {
		for _, path := range []string{"/levels/eu/web/x/1", "/levels/us/web/x/1", "/levels/us/db/x/2", "/levels/us/db/y/3"} {
			ephemeral(path, "")
		}
		for path, want := range map[string]map[string]string{
			"/*/{group}/x/{member}":       {"web/1": "up", "db/2": "up"},
			"/{group}/{group}/x/{member}": {"eu/web/1": "up", "us/web/1": "up", "us/db/2": "up"},
			"/us/{group}/*/{member}":      {"web/1": "up", "db/2": "up", "db/3": "up"},
		} {
			d := open(t, custom("/levels", layout.Custom{Paths: []string{path}}, server.Addr()))
			require.Equal(t, want, states(poll(t, d)), path)
		}
		cfg := custom("/levels", layout.Custom{Paths: []string{"/{group}/{group}/x/{member}"}}, server.Addr())
		cfg.Groups = []string{"us/db", "absent"}
		require.Equal(t, map[string]string{"us/db/2": "up"}, states(poll(t, open(t, cfg))))
	})

	t.Run("a roster", func(t *testing.T) {
		d := open(t, custom("/roster", layout.Custom{
			Paths: []string{"/live/{group}/{member}"}, Roster: []string{"/members/{group}/{member}"}, Match: "(.+?)(?:-[0-9]+)?",
		}, server.Addr()))
		createWithParents(t, c, "/roster/members/g/a", "", zkclient.FlagPersistent)
		ephemeral("/roster/live/g/a-17", "")
		ephemeral("/roster/live/g/b-4", "")
		p := poll(t, d)
		require.Equal(t, map[string]string{"g/a": "up", "g/b": "up"}, states(p))
		require.True(t, find(t, p, "g", "a").Rostered)
		require.False(t, find(t, p, "g", "b").Rostered, "it is not in the roster")
		require.NoError(t, c.Delete("/roster/live/g/a-17", -1))
		require.Equal(t, map[string]string{"g/a": "down", "g/b": "up"}, states(poll(t, d)))
		require.NoError(t, c.Delete("/roster/members/g/a", -1))
		require.Equal(t, map[string]string{"g/b": "up"}, states(poll(t, d)))
	})
}

// While no watch fires, a poll makes requests only for the directories.
func TestTreeRequests(t *testing.T) {
	t.Parallel()
	server := emptyServer(t)
	c := otherClient(t, server.Addr())
	const n = 3000
	createWithParents(t, c, "/cost/a/members", "", zkclient.FlagPersistent)
	createWithParents(t, c, "/cost/b", "", zkclient.FlagPersistent)
	name := func(i int) string { return fmt.Sprintf("/cost/a/members/member_%010d", i) }
	createMany(t, c, n, func(i int) []*zkclient.CreateRequest {
		return []*zkclient.CreateRequest{{Path: name(i), Data: fmt.Appendf(nil, `{"id": %d}`, i), Flags: zkclient.FlagEphemeral}}
	})
	cfg := custom("/cost", layout.Custom{Paths: []string{"/{group}/members/{member}"}, Match: `member_\d+`, Name: "{id}"}, server.Addr())
	cfg.SessionTimeout = drivers.Duration(longSession)
	d := open(t, cfg)
	p, _ := countRequests(t, d)
	require.Len(t, p.Members, n)
	const directories = 3 // /cost, the members of a, and the path where the members of b would be
	again, count := countRequests(t, d)
	require.Equal(t, uint64(1+directories), count)
	require.Same(t, &p.Members[0], &again.Members[0], "the same slice is returned")

	// One member changes, one is deleted and one is created, so two znodes are read.
	set(t, c, name(1), `{"id": "changed"}`)
	require.NoError(t, c.Delete(name(2), -1))
	create(t, c, name(n), `{"id": "new"}`, zkclient.FlagEphemeral)
	p, count = countRequests(t, d)
	require.Equal(t, uint64(1+directories+2), count)
	require.Len(t, p.Members, n)
	require.Equal(t, "up", states(p)["a/changed"])
	require.Equal(t, "up", states(p)["a/new"])
	require.NotContains(t, states(p), "a/2")
}

// The watches end with the session. In the next session, everything is read again, and Changed is empty for the time between.
func TestTreeSessionLost(t *testing.T) {
	t.Parallel()
	server := emptyServer(t)
	c := otherClient(t, server.Addr())
	createWithParents(t, c, "/lost/g/a", `{"status": "UP"}`, zkclient.FlagEphemeral)
	p := newProxy(t, server.Addr())
	d := open(t, custom("/lost", layout.Custom{
		Paths: []string{"/{group}/{member}"}, Status: &layout.Check{Field: "status", Is: []string{"UP"}},
	}, p.addr()))
	require.Equal(t, map[string]string{"g/a": "up"}, states(poll(t, d)))
	drainSignal(d)
	p.cut()
	set(t, c, "/lost/g/a", `{"status": "DOWN"}`)
	requireSignal(t, d, "there is a new session")
	found := poll(t, d)
	require.Equal(t, map[string]string{"g/a": "down"}, states(found))
	require.Empty(t, found.Changed)

	p.silence(true)
	ctx, cancel := withTimeout(t, 500*time.Millisecond)
	defer cancel()
	_, err := d.Members(ctx)
	require.ErrorIs(t, err, drivers.ErrUnavailable)
	p.silence(false)
	set(t, c, "/lost/g/a", `{"status": "UP"}`)
	eventually(t, d, prompt, "g/a", "up")
}

// If the identity may list the members but not read their data, the error says so.
func TestTreeACL(t *testing.T) {
	t.Parallel()
	server := emptyServer(t)
	c := otherClient(t, server.Addr())
	createWithParents(t, c, "/acl/g", "", zkclient.FlagPersistent)
	_, err := c.Create("/acl/g/a", nil, zkclient.FlagEphemeral, zkclient.DigestACL(zkclient.PermAll, "u", "p"))
	require.NoError(t, err)
	declared := layout.Custom{Paths: []string{"/{group}/{member}"}}
	require.Equal(t, map[string]string{"g/a": "up"}, states(poll(t, open(t, custom("/acl", declared, server.Addr())))), "no data is needed")
	declared.Name = "{host}"
	_, err = read(t, open(t, custom("/acl", declared, server.Addr())))
	require.Equal(t, drivers.ReasonAuth, drivers.ReasonOf(err))
	require.ErrorContains(t, err, "reading /acl/g/a")
}
