package db

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

// Columns with any values of any type cause no panic; the row is a member, rejected, or left out; and its texts are bounded.
func FuzzRow(f *testing.F) {
	f.Add("compute", "c1", []byte("1795362556000000"), int64(0), byte(0))
	f.Add("g\xff", strings.Repeat("ä", drivers.MaxText), []byte("x"), int64(-1), byte(0x55))
	f.Add("", "\x00", []byte{1}, int64(1)<<62, byte(0xe4))
	f.Fuzz(func(t *testing.T, group, name string, data []byte, number int64, kinds byte) {
		values := []any{data, name, number, float64(number), nil, number%2 == 0, time.Time{}, group}
		for _, makeSchema := range schemas() {
			s := makeSchema()
			b := newBuilder(nil, time.Minute, &layout{schema: s, rule: s.rules[0]})
			var r row
			for range 2 {
				b.prepare(&r)
				for i, column := range r.columns() {
					value := values[(int(kinds)+i*int(kinds>>3))%len(values)]
					if i >= 2 && i < 4 {
						value = values[7-6*(i-2)]
					}
					scanner, ok := column.(interface{ Scan(any) error })
					require.True(t, ok)
					require.NoError(t, scanner.Scan(value))
				}
				b.add(&r)
			}
			require.LessOrEqual(t, len(b.poll.Members)+len(b.poll.Rejected), 2)
			for _, m := range b.poll.Members {
				for _, text := range []string{m.Group, m.Name, m.Binary, m.Zone, m.UUID, m.Version, m.DisabledReason} {
					require.LessOrEqual(t, len(text), drivers.MaxText+len("\uFFFD"))
					require.True(t, utf8.ValidString(text))
				}
			}
		}
	})
}

// A count of reports that can't be used is none, and costs nothing else of its row.
func TestReportCount(t *testing.T) {
	for _, c := range []struct {
		column any
		want   uint64
		ok     bool
	}{
		{int64(0), 0, true},
		{int64(12), 12, true},
		{[]byte("2147483647"), 2147483647, true},
		{"7", 7, true},
		{int64(1) << 62, 1 << 62, true},
		{nil, 0, false},
		{int64(-1), 0, false},
		{[]byte("many"), 0, false},
		{1.5, 0, false},
		{"99999999999999999999", 0, false},
	} {
		b := newBuilder(nil, time.Minute, &layout{schema: nova(), rule: nova().rules[0]})
		r := row{
			key: number{ok: true}, group: text{s: "compute"}, name: text{s: "c1"}, beat: number{n: 1, ok: true},
		}
		require.NoError(t, r.count.Scan(c.column))
		b.add(&r)
		require.Empty(t, b.poll.Rejected)
		require.Equal(t, c.ok, b.poll.Members[0].HasReportCount, "%v", c.column)
		require.Equal(t, c.want, b.poll.Members[0].ReportCount, "%v", c.column)
	}
}
