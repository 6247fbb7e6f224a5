package testserver

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// EnableTLS turns on TLS with a certificate, lets clients authenticate with certificates of the authority, and waits until the server
// uses them. Lines of pg_hba.conf replace the file of the server, which trusts everyone. The server writes the files, so that they
// belong to its user.
func (s *Postgres) EnableTLS(authority *Authority, certificate *Certificate, hba ...string) {
	s.t.Helper()
	db := s.pool(s.t, "postgres")
	defer db.Close()
	var data string
	s.query(db, &data, "SHOW data_directory")
	write := func(file, text string) {
		s.run(db, "COPY (SELECT unnest(string_to_array('"+text+"', E'\\n'))) TO PROGRAM 'umask 077; cat > "+filepath.Join(data, file)+"'")
	}
	for file, from := range map[string]string{
		"server.crt": certificate.CertFile, "server.key": certificate.KeyFile, "root.crt": authority.File,
	} {
		pem, err := os.ReadFile(from)
		if err != nil {
			s.t.Fatalf("reading a certificate: %v", err)
		}
		write(file, string(pem))
	}
	if len(hba) > 0 {
		write("pg_hba.conf", strings.Join(hba, "\n"))
	}
	s.run(db, "ALTER SYSTEM SET ssl = on")
	s.run(db, "ALTER SYSTEM SET ssl_ca_file = 'root.crt'")
	s.run(db, "SELECT pg_reload_conf()")
	Eventually(s.t, func() bool {
		var on string
		s.query(db, &on, "SELECT setting FROM pg_settings WHERE name = 'ssl'")
		return on == "on"
	}, startTimeout, 20*time.Millisecond, "the server uses TLS")
}

func (s *Postgres) run(db *sql.DB, statement string) {
	s.t.Helper()
	if _, err := db.ExecContext(context.Background(), statement); err != nil {
		s.t.Fatalf("running %s: %v", statement, err)
	}
}

func (s *Postgres) query(db *sql.DB, into any, query string) {
	s.t.Helper()
	if err := db.QueryRowContext(context.Background(), query).Scan(into); err != nil {
		s.t.Fatalf("running %s: %v", query, err)
	}
}
