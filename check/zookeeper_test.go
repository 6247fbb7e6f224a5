package check_test

import (
	"fmt"
	"net"
	"strings"
	"testing"

	zkclient "github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

func zkSource(server, settings string) string {
	return fmt.Sprintf("sources:\n- name: zk\n  driver: zk\n  zk: {servers: [%s], session_timeout: 1s%s}\n", server, settings)
}

func TestZooKeeper(t *testing.T) {
	t.Parallel()
	server := testserver.ZooKeeper(t)
	join(t, strings.Replace(zkSource(server.Addr(), ""), "session_timeout: 1s", "session_timeout: 5s", 1), "c1", "c2")
	client := zkConn(t, server.Addr())
	require.NoError(t, client.AddAuth("digest", []byte("agent:secret")))
	for path, acl := range map[string][]zkclient.ACL{
		"/closed": zkclient.DigestACL(zkclient.PermAll, "agent", "secret"),
		"/read":   append(zkclient.DigestACL(zkclient.PermAll, "agent", "secret"), zkclient.DigestACL(zkclient.PermRead, "reader", "read")...),
	} {
		_, err := client.Create(path, nil, zkclient.FlagPersistent, acl)
		require.NoError(t, err)
	}
	before := tree(t, client, "/")

	t.Run("cases", func(t *testing.T) {
		for name, test := range map[string]struct{ servers, settings, subject, says string }{
			"version":      {server.Addr(), "", "server", "ok: ZooKeeper 3."},
			"members":      {server.Addr(), "", "members", "ok: 1 group, 2 members: 2 up (compute 2 of 2)"},
			"heartbeat":    {server.Addr(), "", "heartbeat", "ok: a member is down 1s after its session was last heard"},
			"latency":      {server.Addr(), "", "latency", "ok: a death is detected at most 1s after the last proof of life"},
			"open to all":  {server.Addr(), "", "login", "warning: connected as anyone, without auth; the ACL of /servicegroups is world:anyone:rwcda: everyone"},
			"reader":       {server.Addr(), ", prefix: /read, auth: {user: reader, password: read}", "login", "ok: connected as digest user reader; the ACL of /read is digest:agent:rwcda, digest:reader:r"},
			"agent":        {server.Addr(), ", prefix: /read, auth: {user: agent, password: secret}", "login", "which is more than reading needs"},
			"wrong user":   {server.Addr(), ", prefix: /read, auth: {user: reader, password: other}", "login", "warning: "},
			"closed":       {server.Addr(), ", prefix: /closed", "read", "failure: can't be read (auth): "},
			"wrong port":   {closedPort(t), "", "read", "failure: can't be read (connect): "},
			"not it":       {notZooKeeper(t), "", "read", "failure: can't be read ("},
			"one is down":  {server.Addr() + ", '" + closedPort(t) + "'", "", "server", "; another server of the list answers → "},
			"TLS on clear": {server.Addr(), ", tls: {}", "read", "failure: can't be read (connect): "},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				lines := run(t, zkSource(test.servers, test.settings), patient)
				require.Contains(t, of(lines, "source zk", test.subject), test.says)
				require.NotContains(t, of(lines, "source zk", "login"), "secret")
				requireRemedies(t, lines)
			})
		}
	})
	require.Equal(t, before, tree(t, client, "/"), "check changes no znode")
	t.Run("frozen", func(t *testing.T) {
		server.Freeze()
		defer server.Thaw()
		lines := run(t, zkSource(server.Addr(), ""), impatient)
		require.Contains(t, of(lines, "source zk", "read"), "failure: can't be read (timeout): ")
		require.Contains(t, of(lines, "source zk", "server"), "accepts connections and does not answer")
	})
}

func zkConn(t *testing.T, addr string) *zkclient.Conn {
	t.Helper()
	client, _, err := zkclient.Connect([]string{addr}, patient, zkclient.WithLogInfo(false))
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

// tree returns all znodes below a path with their versions and zxids, which change with each change of the znode.
func tree(t *testing.T, client *zkclient.Conn, path string) map[string]string {
	t.Helper()
	all := map[string]string{}
	var visit func(string)
	visit = func(path string) {
		if path == "/zookeeper" {
			return
		}
		children, stat, err := client.Children(path)
		require.NoError(t, err, path)
		all[path] = fmt.Sprintf("%+v", *stat)
		for _, child := range children {
			visit(map[bool]string{true: "/", false: path + "/"}[path == "/"] + child)
		}
	}
	visit(path)
	return all
}

// notZooKeeper returns the address of a mail server.
func notZooKeeper(t *testing.T) string {
	t.Helper()
	return testserver.FakeServer(t, func(conn net.Conn) { _, _ = conn.Write([]byte("220 mail.example ESMTP\r\n")) })
}
