package mc

import (
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// BenchmarkMembers polls members whose heartbeats are on one server.
func BenchmarkMembers(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			server := testserver.Memcached(b)
			cfg := DefaultConfig()
			cfg.Servers = []string{server.Addr()}
			cfg.ServiceDownTime = drivers.Duration(time.Hour)
			roster := &fakeRoster{}
			for i := range n {
				roster.members = append(roster.members, drivers.Member{Group: "compute", Name: fmt.Sprint("host-", i), Rostered: true})
			}
			d, err := Open(cfg, roster, slog.New(slog.DiscardHandler))
			require.NoError(b, err)
			b.Cleanup(func() { require.NoError(b, d.Close()) })
			now := time.Now()
			for some := range slices.Chunk(roster.members, batchSize) {
				require.NoError(b, d.servers[0].do(b.Context(), func(c *client) error {
					for i := range some {
						key, _ := d.format.key(some[i].Key())
						if err := c.Set(d.format.alive(key, now, time.Hour)); err != nil {
							return err
						}
					}
					return nil
				}))
			}
			for b.Loop() {
				p, err := d.Members(b.Context())
				require.NoError(b, err)
				require.Len(b, p.Members, n)
			}
		})
	}
}
