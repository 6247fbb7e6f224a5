package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"servicegroup_exporter/internal/testserver"
)

// serverSettings returns settings that let both sides reach a ZooKeeper server. The longest session timeout is 20 ticks.
func serverSettings() []string { return []string{"clientPortAddress=0.0.0.0", "tickTime=500"} }

// A zkBackend is one ZooKeeper server, or an ensemble. Process is the first server.
type zkBackend struct {
	*testserver.Process
	servers []*testserver.ZK
}

func openZooKeeper(env *environment) backend {
	z := testserver.ZooKeeper(env.TB, serverSettings()...)
	return &zkBackend{z.Process, []*testserver.ZK{z}}
}

func openEnsemble(env *environment) backend {
	servers := testserver.ZooKeeperEnsemble(env.TB, 3, serverSettings()...)
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
    zk: {servers: [%s], session_timeout: %s}`, strings.Join(addresses, ", "), heartbeatTimeout)
}

func ensemble(env *environment) []*testserver.ZK { return env.backend.(*zkBackend).servers }

// A staleFollower is a follower that the exporter is connected to, and that receives no updates.
type staleFollower struct{ server *testserver.ZK }

// begin cuts the exporter off from the leader until it connects to a follower, and freezes that follower.
func (s *staleFollower) begin(env *environment) {
	leader := testserver.Leader(env.TB, ensemble(env))
	env.addRules(toBackend(exporterSide, portOf(leader.Addr()), "reject with tcp reset"))
	env.eventually("the exporter is connected to a follower", func() bool {
		for _, server := range ensemble(env) {
			if server != leader && isConnected(env, exporterSide, portOf(server.Addr())) {
				s.server = server
				return true
			}
		}
		return false
	})
	env.removeRules()
	s.server.Freeze()
}

func (s *staleFollower) end(*environment) { s.server.Thaw() }

// isConnected reports whether there is a connection to a port at the address of a side.
func isConnected(env *environment, side string, port int) bool {
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		env.Fatalf("reading connections: %v", err)
	}
	var a, b, c, d int
	if _, err := fmt.Sscanf(side, "%d.%d.%d.%d", &a, &b, &c, &d); err != nil {
		env.Fatalf("parsing an address: %v", err)
	}
	remote := fmt.Sprintf("%02X%02X%02X%02X:%04X", d, c, b, a, port)
	const established = "01"
	return slices.ContainsFunc(strings.Split(string(table), "\n"), func(line string) bool {
		fields := strings.Fields(line)
		return len(fields) > 3 && fields[2] == remote && fields[3] == established
	})
}
