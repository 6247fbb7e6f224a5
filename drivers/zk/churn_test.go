package zk_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	zkclient "github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers/zk/layout"
)

// The next poll shows all changes that another client has made to the tree.
func TestTreeShowsChanges(t *testing.T) {
	t.Parallel()
	server := emptyServer(t)
	c := otherClient(t, server.Addr())
	createWithParents(t, c, "/churn/g", "", zkclient.FlagPersistent)
	cfg := custom("/churn", layout.Custom{
		Paths: []string{"/{group}/{member}"}, Name: "{name}", Status: &layout.Check{Field: "status", Is: []string{"UP"}},
	}, server.Addr())
	d := open(t, cfg)
	random := rand.New(rand.NewPCG(1, 2))
	type state struct{ ephemeral, up bool }
	model := make(map[int]state)
	for step := range 600 {
		i := random.IntN(8)
		path := fmt.Sprintf("/churn/g/%d", i)
		next := state{random.IntN(4) > 0, random.IntN(3) > 0}
		data := fmt.Sprintf(`{"name": "n%d", "status": %q}`, i, map[bool]string{true: "UP", false: "DEAD"}[next.up])
		old, there := model[i]
		switch {
		case !there:
			create(t, c, path, data, map[bool]int32{true: zkclient.FlagEphemeral, false: zkclient.FlagPersistent}[next.ephemeral])
			model[i] = next
		case random.IntN(2) == 0:
			require.NoError(t, c.Delete(path, -1))
			delete(model, i)
		default:
			set(t, c, path, data)
			model[i] = state{old.ephemeral, next.up}
		}
		if random.IntN(3) == 0 {
			continue // Make several changes between two polls.
		}
		want := make(map[string]string)
		for i, s := range model {
			if s.ephemeral {
				want[fmt.Sprintf("g/n%d", i)] = map[bool]string{true: "up", false: "down"}[s.up]
			}
		}
		require.Equal(t, want, states(poll(t, d)), "step %d", step)
	}
}

// A member that is created or deleted together with its znode in the roster is never seen dead.
func TestTreeRosterRaces(t *testing.T) {
	t.Parallel()
	server := emptyServer(t)
	c := otherClient(t, server.Addr())
	createWithParents(t, c, "/races/live/g", "", zkclient.FlagPersistent)
	createWithParents(t, c, "/races/roster/g", "", zkclient.FlagPersistent)
	d := open(t, custom("/races", layout.Custom{
		Paths: []string{"/live/{group}/{member}"}, Roster: []string{"/roster/{group}/{member}"},
	}, server.Addr()))
	const live, roster = "/races/live/g/m", "/races/roster/g/m"
	stop := make(chan struct{})
	var churning sync.WaitGroup
	churning.Go(func() {
		acl := zkclient.WorldACL(zkclient.PermAll)
		for {
			select {
			case <-stop:
				return
			default:
			}
			_, err := c.Multi(&zkclient.CreateRequest{Path: roster, Acl: acl},
				&zkclient.CreateRequest{Path: live, Acl: acl, Flags: zkclient.FlagEphemeral})
			if err == nil {
				_, err = c.Multi(&zkclient.DeleteRequest{Path: live, Version: -1}, &zkclient.DeleteRequest{Path: roster, Version: -1})
			}
			if err != nil {
				t.Errorf("changing the tree: %v", err)
				return
			}
		}
	})
	defer churning.Wait()
	defer close(stop)
	seen := make(map[string]int)
	for seen["up"] <= 200 || seen[""] <= 200 {
		state := states(poll(t, d))["g/m"]
		require.NotEqual(t, "down", state)
		seen[state]++
	}
}
