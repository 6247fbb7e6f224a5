package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"servicegroup_exporter/internal/testserver"
)

// An environment is a backend with its servers.
type environment struct {
	name string
	// source returns the driver and its section, as YAML in one line, for a heartbeat timeout.
	source func(timeout time.Duration) string
}

const (
	// pollInterval is the time between two polls of the exporter.
	pollInterval = 500 * time.Millisecond
	// heartbeatsPerTimeout is the number of heartbeats in a heartbeat timeout. Nova has six, ZooKeeper's clients have three
	// pings.
	heartbeatsPerTimeout = 4
)

// heartbeatSettings returns the settings of a backend with heartbeats.
func heartbeatSettings(timeout time.Duration) string {
	return fmt.Sprintf("service_down_time: %v, report_interval: %v", timeout, timeout/heartbeatsPerTimeout)
}

// startEnvironments starts all servers.
func startEnvironments(t testserver.TB) []environment {
	return []environment{
		startMariaDB(t),
		zookeeper("zk, one server", []*testserver.ZK{testserver.ZooKeeper(t, zookeeperSettings()...)}),
		zookeeper("zk, three servers", testserver.ZooKeeperEnsemble(t, 3, zookeeperSettings()...)),
		startMemcached(t),
	}
}

// zookeeperTick is ZooKeeper's default tickTime. Sessions expire at multiples of it.
const zookeeperTick = 2 * time.Second

func zookeeperSettings() []string {
	return []string{fmt.Sprintf("tickTime=%d", zookeeperTick.Milliseconds()), "maxSessionTimeout=60000"}
}

func startMariaDB(t testserver.TB) environment {
	server := testserver.MariaDB(t)
	table, err := os.ReadFile(filepath.Join(testserver.ModuleDir(t), "drivers", "db", "servicegroup_canary.mysql.sql"))
	if err != nil {
		t.Fatalf("reading the table definition: %v", err)
	}
	if _, err := server.Open(t, "own").Exec(string(table)); err != nil {
		t.Fatalf("creating the table: %v", err)
	}
	return environment{"db (MariaDB)", func(timeout time.Duration) string {
		return fmt.Sprintf(`driver: db, db: {dsn: "mysql://root@%s/own", %s}`, server.Addr(), heartbeatSettings(timeout))
	}}
}

func zookeeper(name string, servers []*testserver.ZK) environment {
	addresses := make([]string, len(servers))
	for i, s := range servers {
		addresses[i] = s.Addr()
	}
	return environment{name, func(timeout time.Duration) string {
		return fmt.Sprintf(`driver: zk, zk: {servers: ["%s"], session_timeout: %v}`, strings.Join(addresses, `", "`), timeout)
	}}
}

func startMemcached(t testserver.TB) environment {
	server := testserver.Memcached(t)
	return environment{"mc", func(timeout time.Duration) string {
		return fmt.Sprintf(`driver: mc, mc: {servers: ["%s"], %s}, roster: {members: {unused: [unused]}}`,
			server.Addr(), heartbeatSettings(timeout))
	}}
}
