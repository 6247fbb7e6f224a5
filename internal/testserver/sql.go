package testserver

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/go-sql-driver/mysql"
)

// SQL is a real MariaDB server. Its root has no password.
type SQL struct {
	*Process
	port int
}

// MariaDB starts a MariaDB server; args are added to the command line of mariadbd.
func MariaDB(t TB, args ...string) *SQL {
	t.Helper()
	daemon := find(t, "mariadbd", "mariadb-server")
	dir := TempDir(t)
	data := filepath.Join(dir, "data")
	// Each server needs a folder of its own: servers that share one remove each other's temporary tables.
	tmpdir := "--tmpdir=" + dir
	dataDir(t, daemon, data, func(dir string) { installDatabase(t, dir, tmpdir) })
	s := &SQL{port: Port(t)}
	argv := append([]string{
		daemon, "--no-defaults", "--datadir=" + data, tmpdir, "--socket=" + filepath.Join(dir, "socket"),
		"--pid-file=" + filepath.Join(dir, "pid"), "--bind-address=127.0.0.1", fmt.Sprintf("--port=%d", s.port),
		// A test's data need not survive a power failure.
		"--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M", redoLog, "--skip-name-resolve",
	}, asRoot()...)
	s.Process = newProcess(t, "mariadbd", dir, append(argv, args...), s.ping)
	return s
}

// redoLog is the size of InnoDB's redo log, of which a copy of a data directory needs less than MariaDB's 96 MB. A server that
// finds another size makes a new one.
const redoLog = "--innodb-log-file-size=16M"

// installDatabase creates an empty data directory.
func installDatabase(t TB, data, tmpdir string) {
	t.Helper()
	install := find(t, "mariadb-install-db", "mariadb-server")
	args := append([]string{
		"--no-defaults", "--datadir=" + data, tmpdir, redoLog, "--auth-root-authentication-method=normal", "--skip-test-db",
	}, asRoot()...)
	if out, err := exec.Command(install, args...).CombinedOutput(); err != nil {
		t.Fatalf("mariadb-install-db: %v\n%s", err, out)
	}
}

// asRoot returns the option with which MariaDB runs as root, if the test does.
func asRoot() []string {
	if os.Getuid() == 0 {
		return []string{"--user=root"}
	}
	return nil
}

// Addr returns the server's host and port.
func (s *SQL) Addr() string { return loopback(s.port) }

// DSN returns the Go data source name of a database, as root.
func (s *SQL) DSN(database string) string { return fmt.Sprintf("root@tcp(%s)/%s", s.Addr(), database) }

// Open creates the database if it does not exist, and returns a pool of root's connections to it. These accept several
// statements at once.
func (s *SQL) Open(t TB, database string) *sql.DB {
	t.Helper()
	root := s.pool("")
	defer root.Close()
	if _, err := root.ExecContext(context.Background(), "CREATE DATABASE IF NOT EXISTS `"+database+"`"); err != nil {
		t.Fatalf("creating database %s: %v", database, err)
	}
	db := s.pool(database)
	t.Cleanup(func() { db.Close() })
	return db
}

func (s *SQL) pool(database string) *sql.DB {
	cfg := mysql.NewConfig()
	cfg.User, cfg.Net, cfg.Addr, cfg.DBName = "root", "tcp", s.Addr(), database
	cfg.MultiStatements = true
	cfg.Timeout = 5 * time.Second
	cfg.Logger = log.New(io.Discard, "", 0)
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		panic(err) // The configuration is constant except for the address, so it can't be wrong.
	}
	return sql.OpenDB(connector)
}

func (s *SQL) ping() error {
	db := s.pool("")
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return db.PingContext(ctx)
}
