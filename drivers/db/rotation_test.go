package db

import (
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// secretFile returns a secret in a file, and a function that replaces the file by renaming, as tools that rotate secrets do.
func secretFile(t *testing.T, text string) (secret drivers.Secret, replace func(string)) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	replace = func(text string) {
		require.NoError(t, os.WriteFile(file+".new", []byte(text+"\n"), 0o600))
		require.NoError(t, os.Rename(file+".new", file))
	}
	replace(text)
	secret, err := drivers.SecretFile(file)
	require.NoError(t, err)
	return secret, replace
}

// After the password is changed in the database and in its file, the next connection uses it.
func TestRotatedPassword(t *testing.T) {
	t.Parallel()
	server := testserver.MariaDB(t)
	db := table(t, server, "nova", zed)
	insert(t, db, "one", map[string]string{"last_seen_up": "UTC_TIMESTAMP()"})
	exec(t, db, "CREATE USER reader IDENTIFIED BY 'sesame 1'; GRANT SELECT ON nova.services TO reader")
	rotate := func(to string) {
		exec(t, db, "ALTER USER reader IDENTIFIED BY '"+to+"'")
		server.Stop() // All connections end.
		server.Start()
	}
	password, replacePassword := secretFile(t, "sesame 1")
	byPassword := config("mysql://reader@" + server.Addr() + "/nova")
	byPassword.Password = password
	dsn := func(password string) string {
		return "mysql://reader:" + url.PathEscape(password) + "@" + server.Addr() + "/nova"
	}
	secret, replaceDSN := secretFile(t, dsn("sesame 1"))
	byDSN := DefaultConfig()
	byDSN.DSN = secret
	for _, d := range []*Driver{open(t, byPassword), open(t, byDSN)} {
		require.Len(t, poll(t, d).Members, 1)
		rotate("sesame 2")
		_, err := d.Members(t.Context())
		require.Equal(t, drivers.ReasonAuth, drivers.ReasonOf(err), "the file is as before: %v", err)
		require.NotContains(t, err.Error(), "sesame")

		replacePassword("sesame 2")
		replaceDSN(dsn("sesame 2"))
		require.Len(t, poll(t, d).Members, 1)

		rotate("sesame 1")
		replacePassword("")
		replaceDSN("")
		_, err = d.Members(t.Context())
		require.Equal(t, drivers.ReasonAuth, drivers.ReasonOf(err), err)
		require.ErrorContains(t, err, "secret is empty")

		replacePassword("sesame 1")
		replaceDSN("mysql://reader:sesame@" + server.Addr() + "/other")
		if _, err = d.Members(t.Context()); d.cfg.DSN == secret {
			require.ErrorContains(t, err, "names another database")
			require.NotContains(t, err.Error(), "sesame")
		}
		replaceDSN(dsn("sesame 1"))
		require.Len(t, poll(t, d).Members, 1)
	}
}
