package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"servicegroup_exporter/internal/testserver"
)

// A server is a process that faults can stop, kill and freeze.
type server interface {
	Stop()
	Start()
	Kill()
	Freeze()
	Thaw()
}

// A backend stores membership.
type backend interface {
	server
	// addresses returns the addresses at which one side reaches it.
	addresses(side string) []string
	// source returns the driver and its section of the configuration, for the role "exporter" or "member".
	source(role string, addresses []string) string
}

// A sqlBackend is MariaDB or PostgreSQL. The exporter's account may only read. The members' account may only write rows.
type sqlBackend struct {
	server
	port    int
	scheme  string
	mariaDB *testserver.SQL // nil for PostgreSQL
}

func (s *sqlBackend) addresses(side string) []string {
	return []string{fmt.Sprintf("%s:%d", side, s.port)}
}

func (s *sqlBackend) source(role string, addresses []string) string {
	return fmt.Sprintf(`driver: db
    db: {dsn: "%s://%s@%s/nova", service_down_time: %s, report_interval: 1s, timeout: %s}`,
		s.scheme, role, addresses[0], heartbeatTimeout, backendTimeout)
}

// mariaDB starts MariaDB with the current table of Nova.
func mariaDB(env *environment, args ...string) *testserver.SQL {
	server := testserver.MariaDB(env.TB, append([]string{"--bind-address=" + exporterSide + "," + memberSide}, args...)...)
	execute(env, server, novaSchema(env)+`;
		CREATE USER exporter; GRANT SELECT ON nova.* TO exporter;
		CREATE USER member; GRANT SELECT, INSERT, UPDATE ON nova.services TO member`)
	return server
}

func execute(env *environment, server *testserver.SQL, statements string) {
	db := server.Open(env.TB, "nova")
	defer db.Close()
	if _, err := db.Exec(statements); err != nil {
		env.Fatalf("preparing the database: %v", err)
	}
}

func openMariaDB(env *environment) backend { return newMariaDB(mariaDB(env)) }

func newMariaDB(server *testserver.SQL) *sqlBackend {
	return &sqlBackend{server, portOf(server.Addr()), "mysql+pymysql", server}
}

func portOf(addr string) (port int) {
	fmt.Sscanf(addr[strings.LastIndexByte(addr, ':')+1:], "%d", &port) //nolint:errcheck // addr is the address of a server.
	return port
}

// openPostgreSQL starts PostgreSQL with those columns of the table that the driver uses.
func openPostgreSQL(env *environment) backend {
	server := testserver.PostgreSQL(env.TB, "-h", exporterSide+","+memberSide)
	db := server.Open(env.TB, "nova")
	if _, err := db.Exec(`CREATE TABLE services (id serial PRIMARY KEY, created_at timestamp, updated_at timestamp,
			deleted_at timestamp, deleted integer, host varchar(255), "binary" varchar(255), topic varchar(255),
			report_count integer NOT NULL, disabled boolean, disabled_reason varchar(255), last_seen_up timestamp,
			forced_down boolean, version integer, uuid varchar(36));
		CREATE USER exporter; GRANT SELECT ON services TO exporter;
		CREATE USER member; GRANT SELECT, INSERT, UPDATE ON services TO member; GRANT USAGE ON services_id_seq TO member`); err != nil {
		env.Fatalf("preparing the database: %v", err)
	}
	return &sqlBackend{server, portOf(server.Addr()), "postgresql", nil}
}

// novaSchema returns the statement that creates the current table of Nova.
func novaSchema(env *environment) string {
	schema, err := os.ReadFile(filepath.Join(testserver.ModuleDir(env), "drivers", "db", "testdata", "zed.sql"))
	if err != nil {
		env.Fatalf("reading Nova's schema: %v", err)
	}
	return strings.TrimSuffix(strings.TrimSpace(string(schema)), ";")
}

// A memcachedBackend stores heartbeats. The roster is in the configuration.
type memcachedBackend struct {
	*testserver.MC
	roster []string
}

func openMemcached(env *environment) backend {
	return &memcachedBackend{MC: testserver.Memcached(env.TB, "-l", memberSide), roster: env.names()}
}

func (m *memcachedBackend) addresses(side string) []string {
	return []string{fmt.Sprintf("%s:%d", side, portOf(m.Addr()))}
}

func (m *memcachedBackend) source(_ string, addresses []string) string {
	return fmt.Sprintf(`driver: mc
    mc: {servers: [%q], service_down_time: %s, report_interval: 1s, timeout: %s}
    roster: {members: {%s: [%s]}}`, addresses[0], heartbeatTimeout, backendTimeout, groupName, strings.Join(m.roster, ", "))
}
