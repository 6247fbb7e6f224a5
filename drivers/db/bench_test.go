package db

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// BenchmarkMembers polls tables of live computes: after the first poll, as every poll but the first does.
func BenchmarkMembers(b *testing.B) {
	server := testserver.MariaDB(b)
	for _, size := range []int{1000, 10_000, 100_000} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			db := server.Open(b, fmt.Sprintf("nova%d", size))
			load(b, db, zed)
			_, err := db.ExecContext(b.Context(), fmt.Sprintf(`INSERT INTO services
				(created_at, updated_at, host, `+"`binary`"+`, topic, report_count, disabled, deleted, last_seen_up, forced_down,
				version, uuid) SELECT UTC_TIMESTAMP(), UTC_TIMESTAMP(), CONCAT('compute-', seq, '.example.com'), 'nova-compute',
				'compute', 9, 0, 0, UTC_TIMESTAMP(), 0, 64, UUID() FROM seq_1_to_%d`, size))
			require.NoError(b, err)
			d := open(b, config(server.DSN(fmt.Sprintf("nova%d", size))))
			require.Len(b, poll(b, d).Members, size)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Members(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
