package db

import (
	"fmt"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

const benchmarkRows = `INSERT INTO services
	(created_at, updated_at, host, "binary", topic, report_count, disabled, deleted, last_seen_up, forced_down, version, uuid)
	SELECT %[1]s, %[1]s, %[2]s, 'nova-compute', 'compute', 9, 0, 0, %[1]s, 0, 64, %[3]s FROM %[4]s`

// BenchmarkMembers measures polls of a table of live computes, without the first poll.
func BenchmarkMembers(b *testing.B) {
	b.Run("mariadb", func(b *testing.B) {
		server := testserver.MariaDB(b, "--sql-mode=ANSI_QUOTES")
		benchmarkSizes(b, func(b *testing.B, size int) *Driver {
			name := fmt.Sprintf("nova%d", size)
			db := server.Open(b, name)
			load(b, db, zed)
			exec(b, db, fmt.Sprintf(benchmarkRows, "UTC_TIMESTAMP()", "CONCAT('compute-', seq, '.example.com')", "UUID()",
				fmt.Sprintf("seq_1_to_%d", size)))
			return open(b, config(server.DSN(name)))
		})
	})
	b.Run("sqlite", func(b *testing.B) {
		benchmarkSizes(b, func(b *testing.B, size int) *Driver {
			d := open(b, config("sqlite:///"+filepath.Join(b.TempDir(), "members.db")))
			db, err := d.database.writer(b.Context(), true)
			require.NoError(b, err)
			exec(b, db, fmt.Sprintf(benchmarkRows, d.database.stamp(0), "'compute-' || value || '.example.com'",
				"lower(hex(randomblob(16)))", fmt.Sprintf("(WITH RECURSIVE n(value) AS "+
					"(SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < %d) SELECT value FROM n)", size)))
			return d
		})
	})
}

func benchmarkSizes(b *testing.B, fill func(b *testing.B, size int) *Driver) {
	for _, size := range []int{1000, 10_000, 100_000} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			d := fill(b, size)
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
