package db

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/stdlib"

	"servicegroup_exporter/drivers"
)

func (s *postgresDatabase) inspect(ctx context.Context, tables []string) (findings []drivers.Finding, err error) {
	err = s.apart(ctx, func(conn *sql.Conn) error {
		var version, account string
		var standby bool
		err := conn.QueryRowContext(ctx, "SELECT current_setting('server_version'), current_user::text,"+
			" pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on'").Scan(&version, &account, &standby)
		if err != nil {
			return err
		}
		findings = append(findings, drivers.OK("server", "PostgreSQL %s at %s", version, s))
		if standby {
			findings = append(findings, readOnlyServer("it is in recovery, or default_transaction_read_only is on"))
		}
		login, err := s.login(ctx, conn, account, tables)
		if err != nil {
			return err
		}
		findings = append(findings, login)
		return conn.Raw(func(c any) error {
			if c, ok := c.(*stdlib.Conn); ok {
				address := c.Conn().PgConn().Conn().RemoteAddr()
				text := address.String()
				if address.Network() == "unix" {
					text = "the socket in " + s.cfg.Host
				}
				findings = append(findings, drivers.EncryptionOf(text, c.Conn().PgConn().Conn(), time.Now()))
			}
			return nil
		})
	})
	return findings, err
}

// login returns the finding about the role's attributes, and its privileges on the tables that exist.
func (s *postgresDatabase) login(ctx context.Context, conn *sql.Conn, account string, tables []string) (drivers.Finding, error) {
	const attributes = `SELECT unnest(array_remove(ARRAY[CASE WHEN rolsuper THEN 'SUPERUSER' END, CASE WHEN rolcreaterole THEN 'CREATEROLE' END,
		CASE WHEN rolcreatedb THEN 'CREATEDB' END, CASE WHEN rolreplication THEN 'REPLICATION' END,
		CASE WHEN rolbypassrls THEN 'BYPASSRLS' END], NULL)) FROM pg_roles WHERE rolname = current_user`
	const privileges = `SELECT p || ' on ' || $1 FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS p
		WHERE CASE WHEN p IN ('DELETE', 'TRUNCATE') THEN has_table_privilege(to_regclass(quote_ident($1)), p)
			ELSE has_any_column_privilege(to_regclass(quote_ident($1)), p) END`
	excess, err := texts(ctx, conn, attributes)
	if err != nil {
		return drivers.Finding{}, err
	}
	var may, grants []string
	for _, table := range tables {
		found, err := texts(ctx, conn, privileges, table)
		if err != nil {
			return drivers.Finding{}, err
		}
		for _, privilege := range found {
			if strings.HasPrefix(privilege, "SELECT ") {
				may = append(may, privilege)
			} else {
				excess = append(excess, privilege)
			}
		}
		grants = append(grants, fmt.Sprintf("GRANT SELECT ON %s TO exporter", s.quote(table)))
	}
	remedy := "give the exporter a role of its own: CREATE ROLE exporter LOGIN PASSWORD '…'; " + strings.Join(grants, "; ")
	return loginFinding(account, may, excess, remedy), nil
}

// texts returns the first column of a query's result.
func texts(ctx context.Context, conn *sql.Conn, query string, args ...any) (all []string, err error) {
	rows, err := conn.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	err = forEachRow(rows, func(rows *sql.Rows) error {
		var text string
		err := rows.Scan(&text)
		all = append(all, text)
		return err
	})
	return all, err
}
