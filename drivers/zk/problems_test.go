package zk_test

import (
	"testing"

	zkclient "github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk"
	"servicegroup_exporter/drivers/zk/layout"
)

// requireProblem requires that a poll has exactly one problem.
func requireProblem(t *testing.T, p *drivers.Poll, kind drivers.ProblemKind, group, detail string) {
	t.Helper()
	require.Len(t, p.Problems, 1)
	require.Equal(t, kind, p.Problems[0].Kind, p.Problems[0].Detail)
	require.Equal(t, group, p.Problems[0].Group)
	require.Contains(t, p.Problems[0].Detail, detail)
}

// createProblemTree creates what the tests below read.
func createProblemTree(t *testing.T, c *zkclient.Conn) {
	t.Helper()
	createTree(t, c, "/prod", "", "/prod/sg", "", "/prod/sg/compute", "ZKMembers", "/prod/sg/conductor", "ZKMembers",
		"/prod/sg/conductor/h1", "ZKMembers", "/prod/sg/cert", "ZKMembers", "/prod/sg/cert/leader", "",
		"/prod/empty", "", "/prod/void", "", "/prod/void/compute", "ZKMembers",
		"/prod/brokers", "", "/prod/brokers/ids", "", "/prod/brokers/ids/1", "persistent",
		"/prod/mine", "", "/prod/mine/a", "", "/prod/mine/a/workers", "")
	create(t, c, "/prod/sg/compute/h1", "0.5", zkclient.FlagEphemeral)
	create(t, c, "/prod/sg/conductor/h1/1", "0.5", zkclient.FlagEphemeral)
	create(t, c, "/prod/mine/a/workers/worker-1", "", zkclient.FlagEphemeral)
}

// A part of the configuration that does not exist, or that fits nothing, does not look like a tree without members.
func TestProblems(t *testing.T) {
	t.Parallel()
	server := emptyServer(t)
	c := otherClient(t, server.Addr())
	createProblemTree(t, c)
	own := &layout.Custom{Paths: []string{"/{group}/workers/{member}"}}
	wrongPath := &layout.Custom{Paths: []string{"/{group}/worker/{member}"}}
	wrongName := &layout.Custom{Paths: []string{"/{group}/workers/{member}"}, Match: `wrk-\d+`}
	const absent, unmatched = drivers.ProblemAbsent, drivers.ProblemUnmatched
	for name, test := range map[string]struct {
		chroot, prefix, layout string
		custom                 *layout.Custom
		groups                 []string
		kind                   drivers.ProblemKind
		group, detail          string
	}{
		"chroot": {
			chroot: "/prood", prefix: "/sg", kind: absent,
			detail: "The chroot /prood does not exist in ZooKeeper: / has prod, zookeeper. Correct chroot",
		},
		"chroot of several levels": {chroot: "/prod/a/b", kind: absent, detail: "The chroot /prod/a/b does not exist in ZooKeeper: /prod has brokers, empty, mine, sg"},
		"chroot of a preset":       {chroot: "/kafka", layout: "kafka", kind: absent, detail: "The chroot /kafka does not exist"},
		"chroot and groups":        {chroot: "/prood", groups: []string{"a", "b"}, kind: absent, detail: "The chroot /prood does not exist"},
		"prefix":                   {chroot: "/prod", prefix: "/sgs", kind: absent, detail: "The prefix /prod/sgs does not exist"},
		"default prefix":           {kind: absent, detail: "The prefix /servicegroups does not exist in ZooKeeper: / has prod, zookeeper. Correct prefix, or join"},
		"default prefix of tooz":   {layout: "tooz", kind: absent, detail: "The prefix /tooz does not exist"},
		"prefix of custom":         {prefix: "/prod/mein", layout: "custom", custom: own, kind: absent, detail: "The prefix /prod/mein does not exist"},
		"group": {
			prefix: "/prod/sg", groups: []string{"compute", "computes"}, kind: absent, group: "computes",
			detail: "The group computes does not exist: below /prod/sg there is cert, compute, conductor. Correct groups.",
		},
		"group in an empty prefix": {prefix: "/prod/empty", groups: []string{"compute"}, kind: absent, group: "compute", detail: "there is nothing"},
		"group of custom": {
			prefix: "/prod/mine", layout: "custom", custom: own, groups: []string{"a", "b"}, kind: absent, group: "b",
			detail: "The group b does not exist: below /prod/mine there is a.",
		},
		"group of an empty custom": {prefix: "/prod/empty", layout: "custom", custom: own, groups: []string{"b"}, kind: absent, group: "b"},
		"nested for flat": {
			prefix: "/prod/sg", layout: "nested", kind: unmatched, group: "compute",
			detail: "by the layout nested none of them is a member, for example /prod/sg/compute/h1. Set layout to auto.",
		},
		"flat for nested":        {prefix: "/prod/sg", layout: "flat", kind: unmatched, group: "conductor", detail: "by the layout flat none"},
		"a group without any":    {prefix: "/prod/sg", groups: []string{"compute", "cert"}, kind: unmatched, group: "cert", detail: "/prod/sg/cert/leader, for example"},
		"a prefix too deep":      {prefix: "/prod/sg/compute", kind: unmatched, detail: "/prod/sg/compute/h1 is an ephemeral znode and no group"},
		"another system's tree":  {prefix: "/prod/brokers", kind: unmatched, detail: "There are znodes below /prod/brokers, but by the layout auto none"},
		"preset elsewhere":       {chroot: "/prod/sg", layout: "solr", kind: unmatched, detail: "The layout has members in /prod/sg/live_nodes, and no such znode exists"},
		"preset one level above": {chroot: "/prod", prefix: "/brokers", layout: "kafka", kind: unmatched, detail: "below /prod/brokers there is ids"},
		"persistent znodes":      {chroot: "/prod", layout: "kafka", kind: unmatched, detail: "/prod/brokers/ids/1, for example, is persistent"},
		"path of custom":         {prefix: "/prod/mine", layout: "custom", custom: wrongPath, kind: unmatched, detail: "members in /prod/mine/{group}/worker"},
		"name of custom":         {prefix: "/prod/mine", layout: "custom", custom: wrongName, kind: unmatched, detail: "its name does not match"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(server)
			cfg.Chroot, cfg.Prefix, cfg.Custom, cfg.Groups = test.chroot, test.prefix, test.custom, test.groups
			if test.layout != "" {
				cfg.Layout = test.layout
			}
			d := open(t, cfg)
			for range 2 {
				requireProblem(t, poll(t, d), test.kind, test.group, test.detail)
			}
		})
	}
	for name, test := range map[string]struct {
		prefix, layout string
		custom         *layout.Custom
		groups         []string
	}{
		"members":                {prefix: "/prod/sg"},
		"an empty prefix":        {prefix: "/prod/empty"},
		"an empty group":         {prefix: "/prod/void"},
		"an empty named group":   {prefix: "/prod/void", groups: []string{"compute"}},
		"an empty tree":          {prefix: "/prod/empty", layout: "tooz"},
		"a preset's empty group": {prefix: "/prod/void", layout: "tooz"},
		"custom":                 {prefix: "/prod/mine", layout: "custom", custom: own, groups: []string{"a"}},
		"a preset on a new one":  {layout: "kafka", prefix: "/prod/empty"},
	} {
		t.Run("no problem: "+name, func(t *testing.T) {
			cfg := config(server)
			cfg.Prefix, cfg.Custom, cfg.Groups = test.prefix, test.custom, test.groups
			if test.layout != "" {
				cfg.Layout = test.layout
			}
			require.Empty(t, poll(t, open(t, cfg)).Problems)
		})
	}
}

// A problem ends when what was missing is there, and the end of all members is none.
func TestProblemsEnd(t *testing.T) {
	t.Parallel()
	server := emptyServer(t)
	c := otherClient(t, server.Addr())
	cfg := config(server)
	cfg.Chroot, cfg.Prefix, cfg.Groups = "/a", "/b", []string{"compute", "conductor"}
	d := open(t, cfg)
	requireProblem(t, poll(t, d), drivers.ProblemAbsent, "", "The chroot /a")
	createTree(t, c, "/a", "")
	requireProblem(t, poll(t, d), drivers.ProblemAbsent, "", "The prefix /a/b")
	createTree(t, c, "/a/b", "", "/a/b/compute", "", "/a/b/compute/leader", "")
	require.Len(t, poll(t, d).Problems, 2)
	createTree(t, c, "/a/b/conductor", "")
	requireProblem(t, poll(t, d), drivers.ProblemUnmatched, "compute", "/a/b/compute/leader")
	create(t, c, "/a/b/compute/h1", "", zkclient.FlagEphemeral)
	require.Empty(t, poll(t, d).Problems)
	require.NoError(t, c.Delete("/a/b/compute/h1", -1))
	require.Empty(t, poll(t, d).Problems, "the layout was right before")
	require.NoError(t, c.Delete("/a/b/conductor", -1))
	requireProblem(t, poll(t, d), drivers.ProblemAbsent, "conductor", "does not exist")

	// A prefix that is too high takes groups for members.
	m := join(t, open(t, config(server)), "compute", "h1")
	high := config(server)
	high.Prefix = "/"
	p := poll(t, open(t, high))
	require.Contains(t, p.Problems, drivers.Problem{
		Kind: drivers.ProblemUnmatched, Group: "servicegroups",
		Detail: "/servicegroups has a child .roster, so that it is the parent of groups and not a group. Set prefix to /servicegroups.",
	})
	require.NoError(t, m.Leave(t.Context()))
}

// lock lets only the identity "owner" read a znode.
func lock(t *testing.T, c *zkclient.Conn, path string) {
	t.Helper()
	_, err := c.SetACL(path, zkclient.DigestACL(zkclient.PermAll, "owner", "owner"), -1)
	require.NoError(t, err, path)
}

func unlock(t *testing.T, c *zkclient.Conn, path string) {
	t.Helper()
	_, err := c.SetACL(path, zkclient.WorldACL(zkclient.PermAll), -1)
	require.NoError(t, err, path)
}

// A group that may not be read leaves the others readable, and says why.
func TestLockedGroups(t *testing.T) {
	t.Parallel()
	server := emptyServer(t)
	c := otherClient(t, server.Addr())
	require.NoError(t, c.AddAuth("digest", []byte("owner:owner")))
	createTree(t, c, "/sg", "", "/sg/.roster", "", "/sg/.roster/a", "", "/sg/.roster/a/gone", "{}", "/sg/a", "ZKMembers", "/sg/b", "ZKMembers",
		"/sg/a/n", "ZKMembers",
		"/tree", "", "/tree/a", "", "/tree/a/workers", "", "/tree/b", "", "/tree/b/workers", "")
	for _, path := range []string{"/sg/a/h1", "/sg/a/n/1", "/sg/b/h1", "/tree/a/workers/h1", "/tree/b/workers/h1"} {
		create(t, c, path, `{"state":"on"}`, zkclient.FlagEphemeral)
	}
	own := zk.Config{Prefix: "/sg", Layout: "auto"}
	tree := zk.Config{Prefix: "/tree", Layout: "custom", Custom: &layout.Custom{Paths: []string{"/{group}/workers/{member}"}}}
	wild := zk.Config{Prefix: "/tree", Layout: "custom", Custom: &layout.Custom{Paths: []string{"/{group}/*/{member}"}}}
	status := zk.Config{Prefix: "/tree", Layout: "custom", Custom: &layout.Custom{
		Paths: []string{"/{group}/workers/{member}"}, Status: &layout.Check{Field: "state", Is: []string{"on"}},
	}}
	roster := zk.Config{Prefix: "/tree", Layout: "custom", Custom: &layout.Custom{
		Paths: []string{"/{group}/workers/{member}"}, Roster: []string{"/{group}/{member}"}, Match: `h\d`,
	}}
	for name, test := range map[string]struct {
		zk.Config
		locked string
	}{
		"a group":                   {own, "/sg/a"},
		"a group's roster":          {own, "/sg/.roster/a"},
		"a record of a dead member": {own, "/sg/.roster/a/gone"},
		"a nested member":           {own, "/sg/a/n"},
		"a directory of a tree":     {tree, "/tree/a/workers"},
		"a group's level of a tree": {wild, "/tree/a"},
		"a member's data":           {status, "/tree/a/workers/h1"},
		"the roster of a tree":      {roster, "/tree/a"},
		"the directory of a roster": {roster, "/tree/a/workers"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(server)
			cfg.Prefix, cfg.Layout, cfg.Custom = test.Prefix, test.Layout, test.Custom
			d := open(t, cfg)
			all := states(poll(t, d))
			require.Empty(t, poll(t, d).Problems)
			lock(t, c, test.locked)
			defer unlock(t, c, test.locked)
			for range 2 {
				cold := open(t, cfg)
				p := poll(t, cold)
				requireProblem(t, p, drivers.ProblemUnreadable, "a", "the ACL of "+test.locked+" does not give READ")
				require.Equal(t, []string{"a"}, p.UnreadableGroups)
				require.Equal(t, map[string]string{"b/h1": "up"}, states(p))
				unlock(t, c, test.locked)
				p = poll(t, cold)
				require.Equal(t, all, states(p), "it can be read again in the same session")
				require.Empty(t, p.Problems)
				lock(t, c, test.locked)
			}
			cfg.Groups = []string{"a"}
			_, err := read(t, open(t, cfg))
			require.Equal(t, drivers.ReasonAuth, drivers.ReasonOf(err), "nothing can be read")
		})
	}
}

// A group that is locked while it is watched is noticed with the next change at the latest, and its members did not leave.
func TestLockedWhileWatched(t *testing.T) {
	t.Parallel()
	server := emptyServer(t)
	c := otherClient(t, server.Addr())
	require.NoError(t, c.AddAuth("digest", []byte("owner:owner")))
	createTree(t, c, "/servicegroups", "", "/servicegroups/a", "ZKMembers", "/servicegroups/b", "ZKMembers")
	create(t, c, "/servicegroups/a/h1", "", zkclient.FlagEphemeral)
	create(t, c, "/servicegroups/b/h1", "", zkclient.FlagEphemeral)
	d := open(t, config(server))
	both := map[string]string{"a/h1": "up", "b/h1": "up"}
	require.Equal(t, both, states(poll(t, d)))
	lock(t, c, "/servicegroups/a")
	require.Equal(t, both, states(poll(t, d)), "nothing has changed")
	create(t, c, "/servicegroups/a/h2", "", zkclient.FlagEphemeral)
	p := poll(t, d)
	requireProblem(t, p, drivers.ProblemUnreadable, "a", "READ")
	require.Equal(t, map[string]string{"b/h1": "up"}, states(p))
	unlock(t, c, "/servicegroups/a")
	p = poll(t, d)
	require.Empty(t, p.Problems)
	require.Equal(t, map[string]string{"a/h1": "up", "a/h2": "up", "b/h1": "up"}, states(p))
}
