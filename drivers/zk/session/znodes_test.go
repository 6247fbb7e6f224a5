package session

import (
	"testing"
	"time"

	zkclient "github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"
)

// readNode makes one read of one znode without a server.
func readNode(n *Znodes, path string) *Node {
	e, read := n.begin(path)
	if !read {
		n.store(e, true, &zkclient.Stat{EphemeralOwner: 1}, nil)
	}
	return e
}

func TestNodes(t *testing.T) {
	const path = "/g/m"
	newCache := func() *Znodes { return newZnodes(func() {}, nil) }

	t.Run("a znode is read once", func(t *testing.T) {
		n := newCache()
		n.beginPoll(n.revision + 1)
		first := readNode(n, path)
		require.Same(t, first, readNode(n, path))
		require.Same(t, first, n.cached(path))
		n.watchFired(path)
		require.Nil(t, n.cached(path))
		require.NotSame(t, first, readNode(n, path))
	})
	t.Run("a watch that fires before the answer is returned", func(t *testing.T) {
		n := newCache()
		e, _ := n.begin(path)
		n.watchFired(path)
		n.store(e, true, &zkclient.Stat{}, nil)
		_, read := n.begin(path)
		require.False(t, read, "the answer is out of date")
	})
	t.Run("a read without an answer", func(t *testing.T) {
		n := newCache()
		n.begin(path)
		_, read := n.begin(path)
		require.False(t, read, "it is not known whether the watch was set")
	})
	t.Run("a read that failed", func(t *testing.T) {
		n := newCache()
		readNode(n, path)
		n.watchFired(path)
		e, _ := n.begin(path)
		n.readFailed(path, e)
		require.False(t, n.FirstChange(readNode(n, path)).IsZero(), "the change is still to be reported")
	})
	t.Run("the first poll that succeeds reports the time of the first change", func(t *testing.T) {
		n := newCache()
		n.beginPoll(n.revision + 1)
		readNode(n, path)
		n.endPoll()
		n.watchFired(path)
		at := n.fired[path]
		n.beginPoll(n.revision + 1) // It fails.
		readNode(n, path)
		n.watchFired(path)
		n.beginPoll(n.revision + 1)
		require.Equal(t, at, n.FirstChange(readNode(n, path)))
		n.endPoll()
		require.Zero(t, n.FirstChange(readNode(n, path)))
	})
	t.Run("a znode that is no longer read is forgotten", func(t *testing.T) {
		n := newCache()
		n.beginPoll(n.revision + 1)
		readNode(n, path)
		readNode(n, "/g/gone")
		n.watchFired("/g/gone")
		time.Sleep(time.Millisecond) // The clock has to move.
		n.beginPoll(n.revision + 1)
		n.endPoll()
		require.Empty(t, n.known)
		require.Empty(t, n.fired)
		n.watchFired(path)
		require.Empty(t, n.fired, "the znode is not known")
	})
}
