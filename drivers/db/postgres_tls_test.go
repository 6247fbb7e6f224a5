package db

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// A server with a certificate for 127.0.0.1, which takes some users' connections encrypted only.
func TestPostgresTLS(t *testing.T) {
	clearEnvironment(t)
	dir := t.TempDir()
	trusted := newAuthority(t)
	certFile, keyFile := trusted.issue(t, dir, "127.0.0.1")
	ca, otherCA := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "other.pem")
	require.NoError(t, os.WriteFile(ca, trusted.pem, 0o600))
	require.NoError(t, os.WriteFile(otherCA, newAuthority(t).pem, 0o600))
	server := testserver.PostgreSQL(t)
	enableTLS(t, server, certFile, keyFile)

	_, port, _ := strings.Cut(server.Addr(), ":")
	for dsn, fine := range map[string]bool{
		"postgresql://encrypted@127.0.0.1:" + port + "/nova":                                            true,
		"postgresql://encrypted@127.0.0.1:" + port + "/nova?sslmode=disable":                            false,
		"postgresql://encrypted@127.0.0.1:" + port + "/nova?sslmode=require":                            true,
		"postgresql+asyncpg://encrypted@127.0.0.1:" + port + "/nova?ssl=verify-full&sslrootcert=" + ca:  true,
		"postgresql://encrypted@127.0.0.1:" + port + "/nova?sslmode=verify-full&sslrootcert=" + ca:      true,
		"postgresql://encrypted@127.0.0.1:" + port + "/nova?sslmode=verify-full&sslrootcert=" + otherCA: false,
		"postgresql://encrypted@127.0.0.1:" + port + "/nova?sslmode=verify-full":                        false,
		"postgresql://encrypted@localhost:" + port + "/nova?sslmode=verify-full&sslrootcert=" + ca:      false,
		"postgresql://encrypted@localhost:" + port + "/nova?sslmode=verify-ca&sslrootcert=" + ca:        true,
		"postgresql://encrypted@localhost:" + port + "/nova?sslmode=verify-ca&sslrootcert=" + otherCA:   false,
	} {
		_, err := open(t, config(dsn)).Members(t.Context())
		if fine {
			require.NoError(t, err, dsn)
		} else {
			require.ErrorIs(t, err, drivers.ErrUnavailable, dsn)
		}
	}
}

// enableTLS lets the server write its files itself, so that they are its own.
func enableTLS(t *testing.T, server *testserver.Postgres, certFile, keyFile string) {
	t.Helper()
	db := table(t, server, "nova", zed)
	var data string
	require.NoError(t, db.QueryRowContext(t.Context(), "SHOW data_directory").Scan(&data))
	write := func(file, text string) {
		run(t, db, "COPY (SELECT unnest(string_to_array('"+text+"', E'\\n'))) TO PROGRAM 'umask 077; cat > "+
			filepath.Join(data, file)+"'")
	}
	for file, from := range map[string]string{"server.crt": certFile, "server.key": keyFile} {
		pem, err := os.ReadFile(from)
		require.NoError(t, err)
		write(file, string(pem))
	}
	write("pg_hba.conf", "host all postgres 127.0.0.1/32 trust\nhostssl all all 127.0.0.1/32 trust")
	run(t, db, "CREATE ROLE encrypted LOGIN; GRANT SELECT ON services TO encrypted")
	run(t, db, "ALTER SYSTEM SET ssl = on")
	run(t, db, "SELECT pg_reload_conf()")
	require.Eventually(t, func() bool {
		_, err := open(t, config("postgresql://encrypted@"+server.Addr()+"/nova?sslmode=require")).Members(t.Context())
		return err == nil
	}, 10*time.Second, 50*time.Millisecond)
}
