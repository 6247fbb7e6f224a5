package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"servicegroup_exporter/internal/testserver"
)

// A lab is a backend with its servers.
type lab struct {
	name string
	// source gives the section of a source for a timeout, as YAML in one line.
	source func(timeout time.Duration) string
}

const (
	// pollInterval is the time between the exporter's polls.
	pollInterval = 500 * time.Millisecond
	// beats is how many heartbeats there are in a timeout: Nova has six, and ZooKeeper's clients three pings.
	beats = 4
)

// heartbeats gives the times of a backend with heartbeats.
func heartbeats(timeout time.Duration) string {
	return fmt.Sprintf("service_down_time: %v, report_interval: %v", timeout, timeout/beats)
}

// startLabs starts all servers.
func startLabs(t testserver.TB) []lab {
	return []lab{
		databaseLab(t),
		zookeeperLab("zk, one server", []*testserver.ZK{testserver.ZooKeeper(t, zookeeperSettings()...)}),
		zookeeperLab("zk, three servers", testserver.ZooKeeperEnsemble(t, 3, zookeeperSettings()...)),
		memcachedLab(t),
	}
}

// zookeeperTick is ZooKeeper's default: it expires sessions at multiples of it.
const zookeeperTick = 2 * time.Second

func zookeeperSettings() []string {
	return []string{fmt.Sprintf("tickTime=%d", zookeeperTick.Milliseconds()), "maxSessionTimeout=60000"}
}

func databaseLab(t testserver.TB) lab {
	server := testserver.MariaDB(t)
	table, err := os.ReadFile(filepath.Join("drivers", "db", "servicegroup_canary.mysql.sql"))
	if err != nil {
		t.Fatalf("reading the table: %v", err)
	}
	if _, err := server.Open(t, "own").Exec(string(table)); err != nil {
		t.Fatalf("making the table: %v", err)
	}
	return lab{"db (MariaDB)", func(timeout time.Duration) string {
		return fmt.Sprintf(`driver: db, db: {dsn: "mysql://root@%s/own", %s}`, server.Addr(), heartbeats(timeout))
	}}
}

func zookeeperLab(name string, servers []*testserver.ZK) lab {
	addresses := make([]string, len(servers))
	for i, s := range servers {
		addresses[i] = s.Addr()
	}
	return lab{name, func(timeout time.Duration) string {
		return fmt.Sprintf(`driver: zk, zk: {servers: ["%s"], session_timeout: %v}`, strings.Join(addresses, `", "`), timeout)
	}}
}

func memcachedLab(t testserver.TB) lab {
	server := testserver.Memcached(t)
	return lab{"mc", func(timeout time.Duration) string {
		return fmt.Sprintf(`driver: mc, mc: {servers: ["%s"], %s}, roster: {members: {none: [nobody]}}`,
			server.Addr(), heartbeats(timeout))
	}}
}
