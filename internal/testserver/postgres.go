package testserver

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// Postgres is a real PostgreSQL server, whose superuser postgres needs no password.
//
// Every connection has a process of its own, so the server is frozen and killed process by process.
type Postgres struct {
	*Process
	port int
}

// PostgreSQL starts a PostgreSQL server; args are added to the command line of postgres.
func PostgreSQL(t TB, args ...string) *Postgres {
	t.Helper()
	bin := postgresBin(t)
	dir := TempDir(t)
	data := filepath.Join(dir, "data")
	unprivileged := asUnprivilegedUser(t, dir)
	dataDir(t, filepath.Join(bin, "postgres"), data, func(dir string) {
		initdb := slices.Concat(unprivileged, []string{
			filepath.Join(bin, "initdb"), "--pgdata=" + dir, "--username=postgres", "--auth=trust", "--encoding=UTF8",
			"--locale=C", "--no-sync", "--no-instructions",
		})
		if out, err := exec.Command(initdb[0], initdb[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("initdb: %v\n%s", err, out)
		}
	})
	return runPostgres(t, dir, slices.Concat(unprivileged, []string{filepath.Join(bin, "postgres"), "-D", data}), args)
}

// Standby starts a hot standby of the server, to which it replicates by streaming.
func (s *Postgres) Standby() *Postgres {
	s.t.Helper()
	bin, dir := postgresBin(s.t), TempDir(s.t)
	data := filepath.Join(dir, "data")
	unprivileged := asUnprivilegedUser(s.t, dir)
	backup := slices.Concat(unprivileged, []string{
		filepath.Join(bin, "pg_basebackup"), "--pgdata=" + data, "--dbname=" + s.DSN("postgres"), "--write-recovery-conf",
		"--checkpoint=fast", "--no-sync",
	})
	if out, err := exec.Command(backup[0], backup[1:]...).CombinedOutput(); err != nil {
		s.t.Fatalf("pg_basebackup: %v\n%s", err, out)
	}
	return runPostgres(s.t, dir, slices.Concat(unprivileged, []string{filepath.Join(bin, "postgres"), "-D", data}), nil)
}

// runPostgres starts a server with the beginning of its command line.
func runPostgres(t TB, dir string, argv, args []string) *Postgres {
	t.Helper()
	s := &Postgres{port: Port(t)}
	argv = slices.Concat(argv, []string{
		"-h", "127.0.0.1", "-p", strconv.Itoa(s.port), "-k", dir,
		"-F", // no fsync: a test's data need not survive a power failure
	}, args)
	s.Process = newProcess(t, "postgres", dir, argv, s.ping)
	return s
}

// postgresBin returns the folder with the programs of the newest release, which on Debian is not in the PATH.
func postgresBin(t TB) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(found) == 0 {
		return filepath.Dir(find(t, "postgres", "postgresql"))
	}
	release := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path)))) // A folder that is not a number counts as old.
		return n
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return release(a) - release(b) }))
}

// unprivilegedUser is a user that every Debian has.
const unprivilegedUser = "nobody"

// asUnprivilegedUser returns the start of a command line that runs as unprivilegedUser, in a folder that belongs to this user, if
// the test runs as root, because PostgreSQL refuses to run as root. Both env and setpriv replace themselves by the server. A
// change of the user resets the signal that ends the server together with the test, so setpriv sets it again.
func asUnprivilegedUser(t TB, dir string) []string {
	t.Helper()
	argv := []string{"env", "--chdir=" + dir}
	if os.Getuid() != 0 {
		return argv
	}
	account, err := user.Lookup(unprivilegedUser)
	if err != nil {
		t.Fatalf("PostgreSQL can't run as root: %v", err)
	}
	uid, err := strconv.Atoi(account.Uid)
	if err != nil {
		t.Fatalf("reading a user id: %v", err)
	}
	if err := os.Chown(dir, uid, -1); err != nil {
		t.Fatalf("changing the owner of a folder: %v", err)
	}
	return append(argv, "setpriv", "--reuid="+account.Uid, "--regid="+account.Gid, "--clear-groups", "--pdeathsig=KILL")
}

// Addr returns the server's host and port.
func (s *Postgres) Addr() string { return loopback(s.port) }

// DSN returns the URL of a database, as the superuser.
func (s *Postgres) DSN(database string) string {
	return fmt.Sprintf("postgresql://postgres@%s/%s", s.Addr(), database)
}

// Open creates the database if it does not exist, and returns a pool of the superuser's connections to it. These accept
// several statements at once, if there are no parameters.
func (s *Postgres) Open(t TB, database string) *sql.DB {
	t.Helper()
	root := s.pool(t, "postgres")
	defer root.Close()
	var exists bool
	ctx := context.Background()
	err := root.QueryRowContext(ctx, "SELECT count(*) > 0 FROM pg_database WHERE datname = $1", database).Scan(&exists)
	if err == nil && !exists {
		_, err = root.ExecContext(ctx, "CREATE DATABASE "+pgx.Identifier{database}.Sanitize())
	}
	if err != nil {
		t.Fatalf("creating database %s: %v", database, err)
	}
	db := s.pool(t, database)
	t.Cleanup(func() { db.Close() })
	return db
}

func (s *Postgres) pool(t TB, database string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", s.DSN(database)+"?default_query_exec_mode=simple_protocol")
	if err != nil {
		t.Fatalf("opening database %s: %v", database, err)
	}
	return db
}

func (s *Postgres) ping() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.DSN("postgres"))
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// Stop ends the connections and the server, and waits. On SIGTERM PostgreSQL would wait until all clients have disconnected.
func (s *Postgres) Stop() { s.t.Helper(); s.end(syscall.SIGINT) }

// Kill ends all of the server's processes as kill -9 does and waits until they have ended: while one of them has the shared
// memory, a new server refuses to start.
func (s *Postgres) Kill() {
	s.t.Helper()
	s.Freeze() // so that no new one is started while they are listed
	killed := s.signalChildren(syscall.SIGKILL)
	s.Process.Kill()
	for end := time.Now().Add(startTimeout); slices.ContainsFunc(killed, lives); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("processes of PostgreSQL did not end within %v", startTimeout)
		}
	}
}

// lives reports whether a process has not ended. A zombie has ended.
func lives(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

// Freeze pauses all of the server's processes.
func (s *Postgres) Freeze() {
	s.t.Helper()
	s.Process.Freeze()
	s.signalChildren(syscall.SIGSTOP)
}

// Thaw lets a frozen server continue.
func (s *Postgres) Thaw() {
	s.t.Helper()
	s.signalChildren(syscall.SIGCONT)
	s.Process.Thaw()
}

// signalChildren sends a signal to the server's child processes, and returns their ids. Processes that have just ended are
// ignored.
func (s *Postgres) signalChildren(sig syscall.Signal) (pids []int) {
	s.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", s.Pid()))
	if err != nil {
		s.t.Fatalf("listing the processes of PostgreSQL: %v", err)
	}
	for field := range strings.FieldsSeq(string(text)) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			s.t.Fatalf("listing the processes of PostgreSQL: %v", err)
		}
		if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			s.t.Fatalf("sending %v to a process of PostgreSQL: %v", sig, err)
		}
		pids = append(pids, pid)
	}
	return pids
}
