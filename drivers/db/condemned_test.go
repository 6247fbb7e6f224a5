package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

func TestCondemnedBy(t *testing.T) {
	number := func(n uint16) error { return fmt.Errorf("reading: %w", &mysql.MySQLError{Number: n}) }
	state := func(code string) error { return fmt.Errorf("reading: %w", &pgconn.PgError{Code: code}) }
	for want, errs := range map[scope][]error{
		theStatement: {
			nil, errors.New("anything"), context.Canceled,
			number(1045), number(1062), number(1142), number(1146), number(1205), number(1213), number(1969), number(3024), number(1040),
			state("23505"), state("28P01"), state("40001"), state("42501"), state("42P01"), state("53300"), state("57014"),
			&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, &net.DNSError{Err: "no such host", Name: "db"},
		},
		theConnection: {number(1927), number(3169), number(4031), state("08006"), state("08P01"), state("25P03"), state("57P05")},
		theServer: {
			number(1047), number(1180), number(1290), number(1792), number(1836), number(1053), number(3100), number(2013), number(9001),
			state("25006"), state("57P01"), state("57P02"), state("57P03"), state("58030"),
			mysql.ErrInvalidConn, driver.ErrBadConn, io.ErrUnexpectedEOF, context.DeadlineExceeded,
			&net.OpError{Op: "read", Err: syscall.ECONNRESET}, &net.OpError{Op: "write", Err: syscall.EPIPE},
		},
	} {
		for _, err := range errs {
			require.Equal(t, want, condemnedBy(err), "%v", err)
		}
	}
}
