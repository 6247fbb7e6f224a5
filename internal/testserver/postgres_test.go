package testserver

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPostgreSQL(t *testing.T) {
	s := PostgreSQL(t, "-c", "timezone=Asia/Kathmandu")
	db := s.Open(t, "neutron")
	_, err := db.ExecContext(t.Context(), "CREATE TABLE kept (id INT); INSERT INTO kept VALUES (7)")
	require.NoError(t, err)

	for _, end := range []func(){s.Stop, s.Kill} {
		end()
		require.Error(t, accepts(s.Addr()))
		s.Start()
		var id int
		require.NoError(t, s.Open(t, "neutron").QueryRowContext(t.Context(), "SELECT id FROM kept").Scan(&id))
		require.Equal(t, 7, id)
	}

	db = s.Open(t, "neutron")
	require.NoError(t, db.PingContext(t.Context()))
	s.Freeze()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	require.Error(t, db.PingContext(ctx), "on the open connection")
	s.Thaw()
	require.NoError(t, db.PingContext(t.Context()))
}
