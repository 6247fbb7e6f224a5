package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"servicegroup_exporter/internal/testserver"
)

// A server can be broken.
type server interface {
	Stop()
	Start()
	Kill()
	Freeze()
	Thaw()
}

// A backend is where membership is kept.
type backend interface {
	server
	// addresses are where it can be reached from a side.
	addresses(side string) []string
	// source is the driver and its section of a configuration, for "exporter" or "member".
	source(who string, addresses []string) string
}

// A sqlBackend is MariaDB or PostgreSQL. The exporter may only read, and members are not allowed to do anything else than
// write rows.
type sqlBackend struct {
	server
	port    int
	scheme  string
	mariaDB *testserver.SQL // nil where it is PostgreSQL
}

func (s *sqlBackend) addresses(side string) []string {
	return []string{fmt.Sprintf("%s:%d", side, s.port)}
}

func (s *sqlBackend) source(who string, addresses []string) string {
	return fmt.Sprintf(`driver: db
    db: {dsn: "%s://%s@%s/nova", service_down_time: %s, report_interval: 1s, timeout: %s}`,
		s.scheme, who, addresses[0], downTime, backendTimeout)
}

// mariaDB starts MariaDB with today's table of Nova.
func mariaDB(l *lab, args ...string) *testserver.SQL {
	server := testserver.MariaDB(l.TB, append([]string{"--bind-address=" + exporterSide + "," + memberSide}, args...)...)
	execute(l, server, novaSchema(l)+`;
		CREATE USER exporter; GRANT SELECT ON nova.* TO exporter;
		CREATE USER member; GRANT SELECT, INSERT, UPDATE ON nova.services TO member`)
	return server
}

func execute(l *lab, server *testserver.SQL, statements string) {
	db := server.Open(l.TB, "nova")
	defer db.Close()
	if _, err := db.Exec(statements); err != nil {
		l.Fatalf("preparing the database: %v", err)
	}
}

func openMariaDB(l *lab) backend { return newMariaDB(mariaDB(l)) }

func newMariaDB(server *testserver.SQL) *sqlBackend {
	return &sqlBackend{server, portOf(server.Addr()), "mysql+pymysql", server}
}

func portOf(addr string) (port int) {
	fmt.Sscanf(addr[strings.LastIndexByte(addr, ':')+1:], "%d", &port) //nolint:errcheck // It is an address of a server.
	return port
}

// openPostgreSQL starts PostgreSQL with the columns of that table that the driver uses.
func openPostgreSQL(l *lab) backend {
	server := testserver.PostgreSQL(l.TB, "-h", exporterSide+","+memberSide)
	db := server.Open(l.TB, "nova")
	if _, err := db.Exec(`CREATE TABLE services (id serial PRIMARY KEY, created_at timestamp, updated_at timestamp,
			deleted_at timestamp, deleted integer, host varchar(255), "binary" varchar(255), topic varchar(255),
			report_count integer NOT NULL, disabled boolean, disabled_reason varchar(255), last_seen_up timestamp,
			forced_down boolean, version integer, uuid varchar(36));
		CREATE USER exporter; GRANT SELECT ON services TO exporter;
		CREATE USER member; GRANT SELECT, INSERT, UPDATE ON services TO member; GRANT USAGE ON services_id_seq TO member`); err != nil {
		l.Fatalf("preparing the database: %v", err)
	}
	return &sqlBackend{server, portOf(server.Addr()), "postgresql", nil}
}

// novaSchema is the table of today's Nova.
func novaSchema(l *lab) string {
	schema, err := os.ReadFile(filepath.Join(testserver.ModuleDir(l), "drivers", "db", "testdata", "zed.sql"))
	if err != nil {
		l.Fatalf("reading Nova's schema: %v", err)
	}
	return strings.TrimSuffix(strings.TrimSpace(string(schema)), ";")
}

// A memcachedBackend has members' heartbeats, and the configuration has the roster.
type memcachedBackend struct {
	*testserver.MC
	roster []string
}

func openMemcached(l *lab) backend {
	return &memcachedBackend{MC: testserver.Memcached(l.TB, "-l", memberSide), roster: l.names()}
}

func (m *memcachedBackend) addresses(side string) []string {
	return []string{fmt.Sprintf("%s:%d", side, portOf(m.Addr()))}
}

func (m *memcachedBackend) source(_ string, addresses []string) string {
	return fmt.Sprintf(`driver: mc
    mc: {servers: [%q], service_down_time: %s, report_interval: 1s, timeout: %s}
    roster: {members: {%s: [%s]}}`, addresses[0], downTime, backendTimeout, groupName, strings.Join(m.roster, ", "))
}
