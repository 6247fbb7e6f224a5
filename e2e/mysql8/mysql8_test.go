package mysql8

import (
	"crypto/tls"
	"database/sql"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	gms "github.com/dolthub/go-mysql-server"
	"github.com/dolthub/go-mysql-server/memory"
	"github.com/dolthub/go-mysql-server/server"
	gmssql "github.com/dolthub/go-mysql-server/sql"
	"github.com/dolthub/go-mysql-server/sql/mysql_db"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/db"
	"servicegroup_exporter/internal/drivertest"
	"servicegroup_exporter/internal/testserver"
)

// version is what go-mysql-server reports in its variable.
const version = "8.0.31"

// start starts a server with an empty database nova, whose account root needs no password. It returns its address, and a pool
// of root's connections.
func start(t *testing.T, authority *testserver.Authority) (string, *sql.DB) {
	t.Helper()
	database := memory.NewDatabase("nova")
	database.EnablePrimaryKeyIndexes()
	provider := memory.NewDBProvider(database)
	engine := gms.NewDefault(provider)
	accounts := engine.Analyzer.Catalog.MySQLDb
	accounts.SetPersister(&mysql_db.NoopPersister{})
	accounts.AddRootAccount()
	certificate := authority.Issue("127.0.0.1")
	pair, err := tls.LoadX509KeyPair(certificate.CertFile, certificate.KeyFile)
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s, err := server.NewServer(server.Config{
		Protocol: "tcp", Listener: listener, Version: version, TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12},
	}, engine, gmssql.NewContext, memory.NewSessionBuilder(provider), nil)
	require.NoError(t, err)
	go func() { _ = s.Start() }() // It returns when the listener is closed.
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	addr := listener.Addr().String()
	pool, err := sql.Open("mysql", "root@tcp("+addr+")/nova?multiStatements=true")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	return addr, pool
}

func exec(t *testing.T, pool *sql.DB, statement string) {
	t.Helper()
	_, err := pool.ExecContext(t.Context(), statement)
	require.NoError(t, err, statement)
}

// table creates a service's table as MySQL 8 creates it by default: with the collation utf8mb4_0900_ai_ci. It leaves out foreign
// keys, which this server refuses for tables in memory.
func table(t *testing.T, pool *sql.DB, schema string) {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("../../drivers/db/testdata", schema+".sql"))
	require.NoError(t, err)
	text := regexp.MustCompile(`DEFAULT CHARSET=\w+( COLLATE=\w+)?`).ReplaceAllString(string(file),
		"DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci")
	exec(t, pool, regexp.MustCompile(`,\s+CONSTRAINT .*`).ReplaceAllString(text, ""))
}

// open returns a driver that is closed when the test ends.
func open(t *testing.T, cfg db.Config) *db.Driver {
	t.Helper()
	d, err := db.Open(cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return d
}

func config(dsn string) db.Config {
	cfg := db.DefaultConfig()
	cfg.DSN = drivers.SecretText(dsn)
	return cfg
}

// The driver does all that it promises on MySQL 8's protocol.
func TestConformance(t *testing.T) {
	addr, pool := start(t, testserver.NewAuthority(t))
	table(t, pool, "zed")
	const downTime = 3 * time.Second
	drivertest.Run(t, drivertest.Backend{
		Open: func(t *testing.T) drivers.Driver {
			t.Helper()
			cfg := config("mysql://root@" + addr + "/nova")
			cfg.ServiceDownTime, cfg.ReportInterval = drivers.Duration(downTime), drivers.Duration(downTime/6)
			return open(t, cfg)
		},
		DownTime: downTime, Slack: time.Second,
	})
}

// Each service's table is found in the information schema, whose columns have upper-case names, and read.
func TestSchemas(t *testing.T) {
	addr, pool := start(t, testserver.NewAuthority(t))
	for _, schema := range []string{
		"zed", "cinder", "manila", "neutron", "heat", "ironic", "designate", "magnum", "octavia",
	} {
		t.Run(schema, func(t *testing.T) {
			exec(t, pool, "DROP DATABASE nova; CREATE DATABASE nova; USE nova")
			table(t, pool, schema)
			cfg := config("mysql://root@" + addr + "/nova")
			cfg.Schema = schema
			if schema == "zed" {
				cfg.Schema = "nova"
			}
			d := open(t, cfg)
			defer func() { require.NoError(t, d.Close()) }()
			poll, err := d.Members(t.Context())
			require.NoError(t, err)
			require.Equal(t, version, poll.Backend)
		})
	}
}

// The plugin caching_sha2_password, the default of MySQL 8, gets the password over TLS. This server has no other way.
func TestCachingSHA2(t *testing.T) {
	authority := testserver.NewAuthority(t)
	addr, pool := start(t, authority)
	table(t, pool, "zed")
	exec(t, pool, "CREATE USER reader@'%' IDENTIFIED WITH caching_sha2_password BY 'open sesame'; GRANT SELECT ON nova.* TO reader@'%'")
	for name, test := range map[string]struct {
		dsn    string
		reason drivers.Reason // empty: no error
	}{
		"TLS":            {"mysql://reader:open%20sesame@" + addr + "/nova?ssl_ca=" + authority.File, ""},
		"wrong password": {"mysql://reader:wrong@" + addr + "/nova?ssl_ca=" + authority.File, drivers.ReasonAuth},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, config(test.dsn))
			defer func() { require.NoError(t, d.Close()) }()
			_, err := d.Members(t.Context())
			if test.reason == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, drivers.ErrUnavailable)
			require.Equal(t, test.reason, drivers.ReasonOf(err), err)
		})
	}
}
