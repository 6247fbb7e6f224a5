package db

import (
	"context"
	"crypto/tls"
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"servicegroup_exporter/drivers"
)

func (s *mysqlDatabase) inspect(ctx context.Context, tables []string) (findings []drivers.Finding, err error) {
	var state tls.ConnectionState
	ctx = context.WithValue(ctx, tlsStateKey{}, &state)
	err = s.apart(ctx, func(conn *sql.Conn) error {
		cluster, err := galera(ctx, conn)
		if err != nil {
			return err
		}
		findings = append(findings, cluster...)
		if slices.ContainsFunc(cluster, func(f drivers.Finding) bool { return f.Status == drivers.StatusFailure }) {
			return nil // The node answers no other question.
		}
		var version, account, readOnly string
		err = conn.QueryRowContext(ctx, "SELECT VERSION(), CURRENT_USER(), @@global.read_only").Scan(&version, &account, &readOnly)
		if err != nil {
			return err
		}
		findings = append([]drivers.Finding{drivers.OK("server", "%s at %s", version, s)}, findings...)
		if readOnly != "0" && readOnly != "OFF" {
			findings = append(findings, readOnlyServer("read_only is set"))
		}
		login, err := s.login(ctx, conn, account, tables)
		findings = append(findings, login)
		return err
	})
	if err == nil {
		address := s.cfg.Addr
		if s.cfg.Net == "unix" {
			address = "the socket " + address
		}
		findings = append(findings, drivers.Encryption(address, &state, time.Now()))
	}
	return findings, err
}

// login returns the finding about the account's privileges. The lines of SHOW GRANTS may have a hash of the password, so only
// their privileges and tables are shown.
func (s *mysqlDatabase) login(ctx context.Context, conn *sql.Conn, account string, tables []string) (drivers.Finding, error) {
	rows, err := conn.QueryContext(ctx, "SHOW GRANTS")
	if err != nil {
		return drivers.Warning("login", "logged in as "+account+", whose grants can't be read: "+err.Error(), ""), nil
	}
	var may, excess []string
	err = forEachRow(rows, func(rows *sql.Rows) error {
		var line string
		if err := rows.Scan(&line); err != nil {
			return err
		}
		m, e := readGrant(line)
		may, excess = append(may, m...), append(excess, e...)
		return nil
	})
	grants := make([]string, len(tables))
	for i, table := range tables {
		grants[i] = fmt.Sprintf("GRANT SELECT ON %s.%s TO exporter@'%%'", s.quote(s.cfg.DBName), s.quote(table))
	}
	remedy := "give the exporter an account of its own: CREATE USER exporter@'%' IDENTIFIED BY '…'; " + strings.Join(grants, "; ")
	return loginFinding(account, may, excess, remedy), err
}

// grantLine matches a line of SHOW GRANTS. A line with a role has no ON; its privileges are in lines of their own.
var grantLine = regexp.MustCompile("^GRANT (.+?) ON (?:TABLE )?((?:`[^`]*`|[^ `])+|'[^']*'@'[^']*') TO (.*)$")

// privilegeEnd matches the end of a privilege: a comma that is not in a list of columns.
var privilegeEnd = regexp.MustCompile(`\([^)]*\)|,`)

// readGrant returns the privileges of a line of SHOW GRANTS, and the privileges among them that reading does not need. SELECT on everything
// is more than needed, since it also reads the password hashes of all accounts.
func readGrant(line string) (may, excess []string) {
	parts := grantLine.FindStringSubmatch(line)
	if parts == nil {
		return nil, nil
	}
	object := parts[2]
	if strings.HasSuffix(object, ".`"+ownTableName+"`") {
		return nil, nil // The canary's own table, which it writes.
	}
	privileges := strings.Split(privilegeEnd.ReplaceAllStringFunc(parts[1], func(found string) string {
		if found == "," {
			return "\n"
		}
		return found
	}), "\n")
	if strings.Contains(parts[3], "WITH GRANT OPTION") {
		privileges = append(privileges, "GRANT OPTION")
	}
	for _, privilege := range privileges {
		privilege = strings.TrimSpace(privilege)
		name, _, _ := strings.Cut(privilege, " (")
		switch {
		case name == "USAGE":
		case name == "SELECT" && object != "*.*":
			may = append(may, "SELECT on "+object)
		default:
			excess = append(excess, name+" on "+object)
		}
	}
	return slices.Compact(may), slices.Compact(excess)
}
