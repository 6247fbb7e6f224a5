package testserver

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMariaDB(t *testing.T) {
	s := MariaDB(t)
	db := s.Open(t, "nova")
	_, err := db.ExecContext(t.Context(), "CREATE TABLE kept (id INT); INSERT INTO kept VALUES (7)")
	require.NoError(t, err)

	s.Stop()
	require.Error(t, accepts(s.Addr()))
	s.Start()
	var id int
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT id FROM kept").Scan(&id))
	require.Equal(t, 7, id)

	s.Freeze()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	require.Error(t, db.PingContext(ctx))
	s.Thaw()
	require.NoError(t, db.PingContext(t.Context()))
}

func TestZooKeeper(t *testing.T) {
	z := ZooKeeper(t)
	mode, err := z.mode()
	require.NoError(t, err)
	require.Equal(t, "standalone", mode)
	z.Kill()
	require.Error(t, accepts(z.Addr()))
	z.Start()
}

func TestEnsembleElectsAnotherLeader(t *testing.T) {
	servers := ZooKeeperEnsemble(t, 3)
	first := Leader(t, servers)
	first.Kill()
	second := Leader(t, servers)
	require.NotSame(t, first, second)
	first.Start()
}

func TestMemcached(t *testing.T) {
	m := Memcached(t)
	require.Equal(t, "OK", m.Command("flush_all"))
	m.Freeze()
	_, err := m.command("version")
	require.Error(t, err)
	m.Thaw()
	m.Stop()
	require.Error(t, accepts(m.Addr()))
	m.Start()
	require.Regexp(t, `^VERSION \d`, m.Command("version"))
}
