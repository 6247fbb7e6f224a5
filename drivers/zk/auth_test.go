package zk_test

import (
	"testing"

	zkclient "github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk"
)

func TestAuth(t *testing.T) {
	t.Parallel()
	server := emptyServer(t)
	as := func(user string, password string) *zk.Driver {
		cfg := config(server)
		cfg.Auth.User, cfg.Auth.Password = user, drivers.SecretText(password)
		return open(t, cfg)
	}
	alice, anonymous := as("alice", "secret"), as("", "")
	m := join(t, alice, "group", "one")

	t.Run("every client reads what an identity wrote", func(t *testing.T) {
		require.Equal(t, map[string]string{"group/one": "up"}, states(poll(t, anonymous)))
	})
	t.Run("no other client writes it", func(t *testing.T) {
		for _, d := range []*zk.Driver{anonymous, as("alice", "wrong"), as("bob", "secret")} {
			err := d.Leave(t.Context(), "group", "one")
			require.ErrorIs(t, err, drivers.ErrUnavailable)
			require.Equal(t, drivers.ReasonAuth, drivers.ReasonOf(err))
			require.ErrorContains(t, err, "the ACL of /servicegroups/.roster/group does not give DELETE to the identity that auth sets")
			_, err = d.Join(t.Context(), drivers.JoinRequest{Group: "group", Name: "two"})
			require.Equal(t, drivers.ReasonAuth, drivers.ReasonOf(err))
			require.ErrorContains(t, err, "the ACL of /servicegroups/.roster/group does not give CREATE to the identity that auth sets")
			_, err = d.Join(t.Context(), drivers.JoinRequest{Group: "other", Name: "one"})
			require.ErrorContains(t, err, "the ACL of /servicegroups does not give CREATE to the identity that auth sets")
		}
		require.Equal(t, map[string]string{"group/one": "up"}, states(poll(t, anonymous)))
	})
	t.Run("the identity writes it", func(t *testing.T) {
		require.NoError(t, as("alice", "secret").Leave(t.Context(), "group", "one"))
		require.Empty(t, poll(t, anonymous).Members)
		<-m.Done()
	})
	t.Run("a group without permission is unknown", func(t *testing.T) {
		c := otherClient(t, server.Addr())
		require.NoError(t, c.AddAuth("digest", []byte("alice:secret")))
		_, err := c.Create("/servicegroups/closed", nil, zkclient.FlagPersistent, zkclient.AuthACL(zkclient.PermAll))
		require.NoError(t, err)
		require.Empty(t, poll(t, alice).Members)
		requireProblem(t, poll(t, anonymous), drivers.ProblemUnreadable, "closed", "the ACL of /servicegroups/closed does not give READ")

		cfg := config(server)
		cfg.Groups = []string{"group"}
		require.Empty(t, poll(t, open(t, cfg)).Problems, "other groups can be read")
		cfg.Groups = []string{"closed"}
		_, err = read(t, open(t, cfg))
		require.ErrorIs(t, err, drivers.ErrUnavailable)
		require.Equal(t, drivers.ReasonAuth, drivers.ReasonOf(err))
		require.ErrorContains(t, err, "the ACL of /servicegroups/closed does not give READ")
	})
}
