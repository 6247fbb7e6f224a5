package zk_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk"
	"servicegroup_exporter/internal/testserver"
)

// manyMembers is how many processes join in BenchmarkJoin, one on each node of a large cloud.
const manyMembers = 1000

// BenchmarkJoin measures what 1,000 members cost one server, each with its own driver and session, as many processes of `join` have them,
// with an identity and ACLs. It reports how long they took to join, what the server does while nothing happens, how long a death
// takes among them, and how long all are visible after all were killed at once.
//
//	go test ./drivers/zk -run '^$' -bench '^BenchmarkJoin$' -benchtime 1x
func BenchmarkJoin(b *testing.B) {
	for b.Loop() {
		server := testserver.ZooKeeper(b, "tickTime=2000")
		cfg := configFor(server.Addr())
		cfg.SessionTimeout = zk.DefaultConfig().SessionTimeout
		cfg.Auth = zk.Auth{User: "agent", Password: drivers.SecretText("secret")}
		reader, err := zk.Open(cfg, discard())
		require.NoError(b, err)
		b.Cleanup(func() { require.NoError(b, reader.Close()) })
		up := func() (n int) {
			names, err := drivers.GetAll(b.Context(), reader, "compute")
			require.NoError(b, err)
			return len(names)
		}

		began := time.Now()
		members := joinMany(b, cfg)
		b.ReportMetric(time.Since(began).Seconds(), "join-s")
		require.Equal(b, manyMembers, up())

		const window = 20 * time.Second
		packets, cpu := received(b, server), cpuOf(b, server.Pid())
		time.Sleep(window)
		b.ReportMetric(float64(received(b, server)-packets)/window.Seconds(), "packets/s")
		b.ReportMetric(100*float64(cpuOf(b, server.Pid())-cpu)/float64(window), "server-cpu-%")
		require.Equal(b, manyMembers, up())

		began = time.Now()
		require.NoError(b, members[0].Die(b.Context(), drivers.Death{At: began}))
		b.ReportMetric(float64(time.Since(began).Microseconds())/1000, "die-ms")
		require.Equal(b, manyMembers-1, up())

		began = time.Now()
		for _, m := range members[1:] {
			m.Abandon()
		}
		for up() > 0 {
			time.Sleep(10 * time.Millisecond)
		}
		b.ReportMetric(time.Since(began).Seconds(), "all-gone-s")
	}
}

// joinMany lets members join at once.
func joinMany(b *testing.B, cfg zk.Config) []drivers.Membership {
	b.Helper()
	members := make([]drivers.Membership, manyMembers)
	errs := make([]error, manyMembers)
	var joining sync.WaitGroup
	for i := range manyMembers {
		d, err := zk.Open(cfg, discard())
		require.NoError(b, err)
		b.Cleanup(func() { require.NoError(b, d.Close()) })
		joining.Go(func() {
			ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
			defer cancel()
			members[i], errs[i] = d.Join(ctx, drivers.JoinRequest{Group: "compute", Name: fmt.Sprintf("host-%d", i)})
		})
	}
	joining.Wait()
	for _, err := range errs {
		require.NoError(b, err)
	}
	return members
}

// received returns how many packets the server has received.
func received(b *testing.B, server *testserver.ZK) int {
	b.Helper()
	conn, err := net.DialTimeout("tcp", server.Addr(), prompt)
	require.NoError(b, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "mntr")
	require.NoError(b, err)
	answer, err := io.ReadAll(conn)
	require.NoError(b, err)
	match := regexp.MustCompile(`zk_packets_received\s+(\d+)`).FindSubmatch(answer)
	require.NotNil(b, match, string(answer))
	n, err := strconv.Atoi(string(match[1]))
	require.NoError(b, err)
	return n
}

// cpuOf returns the CPU time that a process has used, from its stat file (proc(5)), in ticks of 10 ms.
func cpuOf(b *testing.B, pid int) time.Duration {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	require.NoError(b, err)
	fields := strings.Fields(string(stat)[strings.LastIndexByte(string(stat), ')')+1:])
	user, err := strconv.Atoi(fields[11])
	require.NoError(b, err)
	system, err := strconv.Atoi(fields[12])
	require.NoError(b, err)
	return time.Duration(user+system) * 10 * time.Millisecond
}
