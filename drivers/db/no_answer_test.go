package db

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// The error of a server that accepts connections and says nothing says for what and how long was waited, in plain words.
func TestNoAnswerSaysHowLong(t *testing.T) {
	address := testserver.FakeServer(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	for _, dsn := range []string{"mysql://u:p@" + address + "/nova", "postgresql://u:p@" + address + "/nova?sslmode=disable"} {
		cfg := config(dsn)
		cfg.Timeout = drivers.Duration(100 * time.Millisecond)
		_, err := open(t, cfg).Members(t.Context())
		require.Equal(t, drivers.ReasonTimeout, drivers.ReasonOf(err), dsn)
		require.ErrorContains(t, err, "no answer in time: waited 100ms")
		require.NotContains(t, err.Error(), "context deadline exceeded")
	}
}

// Without the table of the canary and of drills, the error says how to make it, also if the account may not know that.
func TestNoPrivateTableSaysHowToMakeIt(t *testing.T) {
	for _, database := range []database{&mysqlDatabase{}, &postgresDatabase{}} {
		for _, err := range []error{
			&mysql.MySQLError{Number: 1142, Message: "SELECT command denied"}, &mysql.MySQLError{Number: 1146},
			&pgconn.PgError{Code: "42P01"}, &pgconn.PgError{Code: "42501"},
		} {
			if reason, _ := database.classify(err); reason != drivers.ReasonSchema && reason != drivers.ReasonAuth {
				continue // an error of the other kind of server
			}
			d := &Driver{cfg: Config{private: true}, database: named{database}, life: context.Background()}
			require.ErrorContains(t, d.failed(context.Background(), "reading", err), "make the table servicegroup_canary")
			d.cfg.private = false
			require.NotContains(t, d.failed(context.Background(), "reading", err).Error(), "servicegroup_canary")
		}
	}
}

// named is a database with an address.
type named struct{ database }

func (named) String() string { return "db1/nova" }
