package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"servicegroup_exporter/internal/testserver"
)

// listening lets both sides reach a ZooKeeper server; its longest session is 20 ticks.
func listening() []string { return []string{"clientPortAddress=0.0.0.0", "tickTime=500"} }

// A zkBackend is one ZooKeeper server, or an ensemble; the process is the first.
type zkBackend struct {
	*testserver.Process
	servers []*testserver.ZK
}

func openZooKeeper(l *lab) backend {
	z := testserver.ZooKeeper(l.TB, listening()...)
	return &zkBackend{z.Process, []*testserver.ZK{z}}
}

func openEnsemble(l *lab) backend {
	servers := testserver.ZooKeeperEnsemble(l.TB, 3, listening()...)
	return &zkBackend{servers[0].Process, servers}
}

func (z *zkBackend) addresses(side string) []string {
	var all []string
	for _, server := range z.servers {
		all = append(all, fmt.Sprintf("%s:%d", side, portOf(server.Addr())))
	}
	return all
}

func (z *zkBackend) source(_ string, addresses []string) string {
	return fmt.Sprintf(`driver: zk
    zk: {servers: [%s], session_timeout: %s}`, strings.Join(addresses, ", "), downTime)
}

func ensemble(l *lab) []*testserver.ZK { return l.backend.(*zkBackend).servers }

// A stale follower is one that the exporter is connected to, and that hears nothing any more.
type staleFollower struct{ server *testserver.ZK }

// begin leads the exporter to a follower, by cutting it off from the leader, and freezes that follower.
func (s *staleFollower) begin(l *lab) {
	leader := testserver.Leader(l.TB, ensemble(l))
	l.cut(toBackend(exporterSide, portOf(leader.Addr()), "reject with tcp reset"))
	l.eventually("the exporter is connected to a follower", func() bool {
		for _, server := range ensemble(l) {
			if server != leader && isConnected(l, exporterSide, portOf(server.Addr())) {
				s.server = server
				return true
			}
		}
		return false
	})
	l.heal()
	s.server.Freeze()
}

func (s *staleFollower) end(*lab) { s.server.Thaw() }

// isConnected says whether somebody has a connection to a port at a side's address, which nobody else uses.
func isConnected(l *lab, side string, port int) bool {
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		l.Fatalf("reading connections: %v", err)
	}
	var a, b, c, d int
	if _, err := fmt.Sscanf(side, "%d.%d.%d.%d", &a, &b, &c, &d); err != nil {
		l.Fatalf("an address: %v", err)
	}
	remote := fmt.Sprintf("%02X%02X%02X%02X:%04X", d, c, b, a, port)
	const established = "01"
	return slices.ContainsFunc(strings.Split(string(table), "\n"), func(line string) bool {
		fields := strings.Fields(line)
		return len(fields) > 3 && fields[2] == remote && fields[3] == established
	})
}
