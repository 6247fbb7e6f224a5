package session

import (
	"testing"
	"time"

	zkclient "github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"
)

// look is one poll's read of one znode, as far as nodes keep the books.
func look(n *Znodes, path string) *Node {
	e, ready := n.begin(path)
	if !ready {
		n.settle(e, true, &zkclient.Stat{EphemeralOwner: 1}, nil)
	}
	return e
}

func TestNodes(t *testing.T) {
	const path = "/g/m"
	newBooks := func() *Znodes { return newZnodes(func() {}, nil) }

	t.Run("a znode is read once", func(t *testing.T) {
		n := newBooks()
		n.beginPoll(n.fires + 1)
		first := look(n, path)
		require.Same(t, first, look(n, path))
		require.Same(t, first, n.watched(path))
		n.fire(path)
		require.Nil(t, n.watched(path))
		require.NotSame(t, first, look(n, path))
	})
	t.Run("a watch that fires before the answer is handed on", func(t *testing.T) {
		n := newBooks()
		e, _ := n.begin(path)
		n.fire(path)
		n.settle(e, true, &zkclient.Stat{}, nil)
		_, ready := n.begin(path)
		require.False(t, ready, "what was read is old already")
	})
	t.Run("a read that was never answered", func(t *testing.T) {
		n := newBooks()
		n.begin(path)
		_, ready := n.begin(path)
		require.False(t, ready, "no watch may have been set")
	})
	t.Run("a read that failed", func(t *testing.T) {
		n := newBooks()
		look(n, path)
		n.fire(path)
		e, _ := n.begin(path)
		n.drop(path, e)
		require.False(t, n.FirstChange(look(n, path)).IsZero(), "the change is still to be reported")
	})
	t.Run("a change is reported by the first poll that succeeds, with its first time", func(t *testing.T) {
		n := newBooks()
		n.beginPoll(n.fires + 1)
		look(n, path)
		n.EndPoll()
		n.fire(path)
		at := n.fired[path]
		n.beginPoll(n.fires + 1) // It fails.
		look(n, path)
		n.fire(path)
		n.beginPoll(n.fires + 1)
		require.Equal(t, at, n.FirstChange(look(n, path)))
		n.EndPoll()
		require.Zero(t, n.FirstChange(look(n, path)))
	})
	t.Run("what is read no more is forgotten", func(t *testing.T) {
		n := newBooks()
		n.beginPoll(n.fires + 1)
		look(n, path)
		look(n, "/g/gone")
		n.fire("/g/gone")
		time.Sleep(time.Millisecond) // The clock has to move.
		n.beginPoll(n.fires + 1)
		n.EndPoll()
		require.Empty(t, n.known)
		require.Empty(t, n.fired)
		n.fire(path)
		require.Empty(t, n.fired, "nobody asked")
	})
}
