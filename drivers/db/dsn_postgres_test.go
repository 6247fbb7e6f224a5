package db

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// clearEnvironment unsets libpq's environment variables, which would replace missing parts of a DSN.
func clearEnvironment(t *testing.T) {
	t.Helper()
	for _, name := range []string{"PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGSSLMODE", "PGSERVICE"} {
		t.Setenv(name, "") // Setenv restores the old value when the test ends.
		require.NoError(t, os.Unsetenv(name))
	}
	t.Setenv("HOME", t.TempDir())
}

func TestParsePostgres(t *testing.T) {
	clearEnvironment(t)
	type place struct {
		host           string
		port           uint16
		user, password string
		database       string
		tls            string
	}
	const prefer, off, skip, verify = "or not", "never", "unverified", "verified"
	for dsn, want := range map[string]place{
		"postgresql://nova:sesame@db1/nova":                                  {"db1", 5432, "nova", "sesame", "nova", prefer},
		"postgres://nova@db1:6432/nova":                                      {"db1", 6432, "nova", "", "nova", prefer},
		"postgresql+psycopg2://nova:p%40ss%2Fw'\\ord@db1/nova":               {"db1", 5432, "nova", `p@ss/w'\ord`, "nova", prefer},
		"postgresql+psycopg2://nova:a/b#c@db1/nova?sslmode=disable":          {"db1", 5432, "nova", "a/b#c", "nova", off},
		"postgresql+asyncpg://nova@db1/nova?ssl=require":                     {"db1", 5432, "nova", "", "nova", skip},
		"postgresql+asyncpg://nova@db1/nova?ssl=true&command_timeout=60":     {"db1", 5432, "nova", "", "nova", skip},
		"postgresql://nova@[fd00::5]:5433/nova?sslmode=verify-full":          {"fd00::5", 5433, "nova", "", "nova", verify},
		"postgresql+psycopg://nova@/nova?host=/run/postgresql":               {"/run/postgresql", 5432, "nova", "", "nova", off},
		"postgresql://nova@/nova?host=db1:6000&host=db2":                     {"db1", 6000, "nova", "", "nova", prefer},
		"postgresql://nova@db1/nova?target_session_attrs=any&keepalives=1":   {"db1", 5432, "nova", "", "nova", prefer},
		"host=db1 dbname=nova user=nova password='se sa\\'me' sslmode=allow": {"db1", 5432, "nova", "se sa'me", "nova", off},
		"dbname = nova host=db1 port=6432 user=nova sslmode=require":         {"db1", 6432, "nova", "", "nova", skip},
	} {
		got, err := parseDSN(dsn)
		require.NoError(t, err, dsn)
		require.NotNil(t, got.postgres)
		c := got.postgres
		tls := off
		switch {
		case c.TLSConfig != nil && !c.TLSConfig.InsecureSkipVerify:
			tls = verify
		case c.TLSConfig != nil && len(c.Fallbacks) > 0 && c.Fallbacks[len(c.Fallbacks)-1].TLSConfig == nil:
			tls = prefer
		case c.TLSConfig != nil:
			tls = skip
		}
		require.Equal(t, want, place{c.Host, c.Port, c.User, c.Password, c.Database, tls}, dsn)
	}
}

func TestParsePostgresErrors(t *testing.T) {
	clearEnvironment(t)
	const notLibpq = "can't be parsed as libpq does: check quotes, port, sslmode and the files that it names"
	const unknownPostgres = "has a parameter after the question mark that is not known; those with an effect are application_name, " +
		"channel_binding, client_encoding, connect_timeout, dbname, host, hostaddr, krbspn, krbsrvname, max_protocol_version, " +
		"min_protocol_version, options, passfile, password, port, require_auth, search_path, service, servicefile, sslcert, sslkey, " +
		"sslmode, sslnegotiation, sslpassword, sslrootcert, sslsni, target_session_attrs, timezone, user"
	for dsn, want := range map[string]string{
		"postgresql://u:hunter2@h":                                        "names no database: it must end like /nova, or have dbname=nova",
		"postgresql://u:hun@ter2@h/nova":                                  "its host is not valid: " + errEscapes.Error(),
		"postgresql://u:hunter2@h/nova?sslmode=sometimes":                 "its parameter sslmode is not one of disable, allow, prefer, require, verify-ca, verify-full",
		"postgresql://u:hunter2@h/nova?sslmode=verify_full":               `its parameter sslmode is not one of disable, allow, prefer, require, verify-ca, verify-full; did you mean "verify-full"?`,
		"postgresql://u:hunter2@h/nova?ssl=required":                      `its parameter sslmode is not one of disable, allow, prefer, require, verify-ca, verify-full; did you mean "require"?`,
		"postgresql://u:hunter2@h/nova?target_session_attrs=readwrite":    `its parameter target_session_attrs is not one of any, read-write, read-only, primary, standby, prefer-standby; did you mean "read-write"?`,
		"postgresql://u:hunter2@h/nova?channel_binding=required":          `its parameter channel_binding is not one of disable, prefer, require; did you mean "require"?`,
		"postgresql://u:hunter2@h/nova?ssl_mode=require":                  unknownPostgres + `; did you mean "sslmode"?`,
		"postgresql://u:hunter2@h/nova?sslrootca=/ca":                     unknownPostgres + `; did you mean "sslrootcert"?`,
		"postgresql://u:hunter2@h/nova?keepalive=1":                       unknownPostgres + `; did you mean "keepalives"?`,
		"postgresql://u:hunter2@h/nova?sslrootcert=/no/ca":                "reading sslrootcert: no such file or directory",
		"postgresql://u:hunter2@h/nova?surprise=1":                        unknownPostgres,
		"postgresql://u:hunter2@h/nova?default_transaction_read_only=off": unknownPostgres,
		"postgresql://u:hunter2@h/nova?user=a&user=b":                     "its parameter user is given 2 times",
		"host=h user=u password=hunter2":                                  "names no database: it must end like /nova, or have dbname=nova",
		"host=h dbname=nova password='hunter2":                            notLibpq,
		"host=h dbname=nova pasword=hunter2":                              `has a keyword that is not known; did you mean "password"?`,
		"host=h dbname=nova port=hunter2":                                 notLibpq,
	} {
		cfg := config(dsn)
		err := cfg.Validate()
		require.EqualError(t, err, "dsn: "+want, dsn)
		require.Equal(t, "dsn", drivers.FieldOf(err).Field)
	}
}

// Settings that a pooler does not support are never sent, even if the DSN or the environment has them.
func TestPostgresConfig(t *testing.T) {
	clearEnvironment(t)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.Symlink(testserver.NewAuthority(t).File, ca))
	got, err := parseDSN("postgresql://u@h/nova?sslmode=verify-ca&connect_timeout=60&sslrootcert=" + ca)
	require.NoError(t, err)
	s := newPostgres(got, config("postgresql://u@h/nova"))
	t.Cleanup(func() { require.NoError(t, s.close()) })
	require.Equal(t, pgx.QueryExecModeExec, s.cfg.DefaultQueryExecMode)
	require.Equal(t, 5*time.Second, s.cfg.ConnectTimeout)
	require.Equal(t, map[string]string{"client_encoding": "UTF8", "application_name": "servicegroup_exporter"}, s.cfg.RuntimeParams)
	require.Equal(t, maxConnections, s.pool.db().Stats().MaxOpenConnections)
	require.Equal(t, "h:5432/nova", s.String())

	cfg := config("postgresql://u:hunter2@h/nova")
	cfg.Password = drivers.SecretText("sesame")
	d, err := Open(cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	require.Equal(t, "sesame", d.database.(*postgresDatabase).cfg.Password)
}
