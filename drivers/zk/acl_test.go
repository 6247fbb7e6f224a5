package zk_test

import (
	"crypto/sha1"
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"

	zkclient "github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk"
	"servicegroup_exporter/internal/testserver"
)

// configAs returns a configuration with an identity whose password is its name.
func configAs(server *testserver.ZK, user string, acl ...string) zk.Config {
	cfg := config(server)
	cfg.Auth = zk.Auth{User: user, Password: drivers.SecretText(user)}
	cfg.ACL = acl
	return cfg
}

// hashOf returns the text that an ACL has in place of user:password.
func hashOf(digest string) string {
	sum := sha1.Sum([]byte(digest))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// This is the example of docs/zk.md: agents write, the exporter reads, and no other client has access.
func TestACLs(t *testing.T) {
	t.Parallel()
	server := emptyServer(t)
	exporter := "digest:exporter:" + hashOf("exporter:exporter") + ":r"
	c := otherClient(t, server.Addr())
	require.NoError(t, c.AddAuth("digest", []byte("agent:agent")))
	_, err := c.Create("/servicegroups", nil, zkclient.FlagPersistent, append(
		zkclient.AuthACL(zkclient.PermAll), zkclient.DigestACL(zkclient.PermRead, "exporter", "exporter")...))
	require.NoError(t, err)

	agent, reader := open(t, configAs(server, "agent", "auth::cdrwa", exporter)), open(t, configAs(server, "exporter"))
	m := join(t, agent, "group", "one")
	require.Equal(t, map[string]string{"group/one": "up"}, states(poll(t, reader)))
	_, err = reader.Join(t.Context(), drivers.JoinRequest{Group: "group", Name: "two"})
	require.Equal(t, drivers.ReasonAuth, drivers.ReasonOf(err))
	_, err = read(t, open(t, config(server)))
	require.ErrorContains(t, err, "the ACL of /servicegroups does not give READ")
	require.Equal(t, drivers.ReasonAuth, drivers.ReasonOf(err))
	for path, want := range map[string]string{
		"/servicegroups/group": exporter, "/servicegroups/group/one": exporter, "/servicegroups/.roster/group/one": exporter,
	} {
		acl, _, err := c.GetACL(path)
		require.NoError(t, err)
		require.Len(t, acl, 2, path)
		require.Equal(t, "digest", acl[0].Scheme)
		require.Equal(t, "agent:"+hashOf("agent:agent"), acl[0].ID)
		require.Equal(t, int32(zkclient.PermAll), acl[0].Perms)
		require.Equal(t, want, acl[1].Scheme+":"+acl[1].ID+":r")
		require.Equal(t, int32(zkclient.PermRead), acl[1].Perms)
	}
	require.NoError(t, m.Leave(t.Context()))
	require.Empty(t, poll(t, reader).Members)

	_, err = open(t, configAs(server, "agent", "sasl:agent:cdrwa")).Join(t.Context(), drivers.JoinRequest{Group: "group", Name: "one"})
	require.Equal(t, drivers.ReasonAuth, drivers.ReasonOf(err), err)
	require.ErrorContains(t, err, "acl")
}

// A password that has changed in its file is used from the next poll on, in the same session.
func TestRotatedPassword(t *testing.T) {
	t.Parallel()
	server := emptyServer(t)
	file := filepath.Join(t.TempDir(), "password")
	write := func(password string) { require.NoError(t, os.WriteFile(file, []byte(password+"\n"), 0o600)) }
	write("one")
	password, err := drivers.SecretFile(file)
	require.NoError(t, err)
	c := otherClient(t, server.Addr())
	_, err = c.Create("/servicegroups", nil, zkclient.FlagPersistent, zkclient.DigestACL(zkclient.PermAll, "u", "one"))
	require.NoError(t, err)
	cfg := config(server)
	cfg.Auth = zk.Auth{User: "u", Password: password}
	d := open(t, cfg)
	require.Empty(t, poll(t, d).Members)

	require.NoError(t, c.AddAuth("digest", []byte("u:one")))
	_, err = c.SetACL("/servicegroups", zkclient.DigestACL(zkclient.PermAll, "u", "two"), -1)
	require.NoError(t, err)
	create := func(password, name string) {
		require.NoError(t, c.AddAuth("digest", []byte("u:"+password)))
		_, err := c.Create("/servicegroups/"+name, nil, zkclient.FlagPersistent, zkclient.WorldACL(zkclient.PermAll))
		require.NoError(t, err)
	}
	create("two", "a") // The next poll reads the directory again.
	_, err = read(t, d)
	require.Equal(t, drivers.ReasonAuth, drivers.ReasonOf(err))
	require.NoError(t, os.Remove(file))
	_, err = read(t, d)
	require.Equal(t, drivers.ReasonAuth, drivers.ReasonOf(err))
	write("two")
	poll(t, d)
	require.Zero(t, d.Counts().Reconnects)
}
