package db

import (
	"errors"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"servicegroup_exporter/drivers"
)

func (s *postgresStore) isDuplicate(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	// A taken id is no taken name: the table's sequence is behind its rows.
	return ok && e.Code == "23505" && !strings.HasSuffix(e.ConstraintName, "_pkey")
}

func (s *postgresStore) classify(err error) (drivers.Reason, string) {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return classifySQLState(e.Code)
	}
	if _, ok := errors.AsType[*credentialsError](err); ok {
		return drivers.ReasonAuth, ""
	}
	if _, ok := errors.AsType[*grantError](err); ok {
		return drivers.ReasonAuth, ""
	}
	if drivers.IsCertificateRefused(err) {
		return drivers.ReasonAuth, "check the client's certificate"
	}
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		return drivers.ReasonTimeout, ""
	}
	// What is left did not come from the server: the connection broke, or nobody there speaks PostgreSQL's protocol.
	return drivers.ReasonConnect, ""
}

// classifySQLState sorts the errors that PostgreSQL, and pools before it, report by code.
func classifySQLState(code string) (drivers.Reason, string) {
	switch code {
	case "28P01", "28000":
		return drivers.ReasonAuth, "check user, password and pg_hba.conf"
	case "42501":
		return drivers.ReasonAuth, needsSelect
	case "3D000":
		return drivers.ReasonSchema, "check the database's name"
	case "42P01", "3F000":
		return drivers.ReasonSchema, "is this the right database?"
	case "42703", "42883", "42804", "22007", "42846":
		return drivers.ReasonSchema, "the table is not laid out as the schema says"
	case "57014", "55P03", "25P03", "25P04": // statement_timeout, lock_timeout, limits of transactions
		return drivers.ReasonTimeout, ""
	}
	for _, class := range []string{
		"08",  // connection exceptions
		"53",  // insufficient resources: too many connections
		"57P", // shutdown, crash, starting up
	} {
		if strings.HasPrefix(code, class) {
			return drivers.ReasonConnect, ""
		}
	}
	return drivers.ReasonQuery, ""
}
