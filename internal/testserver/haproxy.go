package testserver

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A LoadBalancer is a real HAProxy with one listener, which leads each new connection to its only active server. As by
// default in HAProxy, connections to a server that is taken out stay open.
type LoadBalancer struct {
	*Process
	t       TB
	port    int
	socket  string
	servers []string
}

// HAProxy starts a load balancer for TCP. The first server is active.
func HAProxy(t TB, servers ...string) *LoadBalancer {
	t.Helper()
	b := startHAProxy(t, "mode tcp", servers)
	b.Lead(0)
	return b
}

// HAProxyChecks starts a load balancer for HTTP that checks its server by a bare option httpchk.
func HAProxyChecks(t TB, server string) *LoadBalancer {
	t.Helper()
	return startHAProxy(t, "mode http\n  option httpchk\n  default-server check inter 50ms", []string{server})
}

// startHAProxy starts HAProxy with lines of its section of defaults.
func startHAProxy(t TB, defaults string, servers []string) *LoadBalancer {
	t.Helper()
	dir := TempDir(t)
	b := &LoadBalancer{t: t, port: Port(t), socket: filepath.Join(dir, "socket"), servers: servers}
	var lines strings.Builder
	for i, server := range servers {
		fmt.Fprintf(&lines, "  server s%d %s\n", i, server)
	}
	text := fmt.Sprintf(`global
  stats socket %s level admin
defaults
  %s
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen all
  bind %s
%s`, b.socket, defaults, b.Addr(), lines.String())
	file := filepath.Join(dir, "haproxy.cfg")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatalf("writing HAProxy's configuration: %v", err)
	}
	b.Process = newProcess(t, "haproxy", dir, []string{find(t, "haproxy", "haproxy"), "-db", "-f", file}, b.ping)
	return b
}

// WaitUp waits until a check of the first server has succeeded.
func (b *LoadBalancer) WaitUp() {
	b.t.Helper()
	var stats string
	Eventually(b.t, func() bool {
		stats, _ = b.command("show stat json") // An error leads to the next try.
		return strings.Contains(stats, `"L7OK"`)
	}, time.Minute, 20*time.Millisecond, "a check by HAProxy succeeds")
}

// ping returns an error while the socket does not accept commands.
func (b *LoadBalancer) ping() error {
	_, err := b.command("show info")
	return err
}

// Addr returns the listener's host and port.
func (b *LoadBalancer) Addr() string { return loopback(b.port) }

// Lead leads new connections to one of the servers.
func (b *LoadBalancer) Lead(active int) {
	b.t.Helper()
	for i := range b.servers {
		state := "maint"
		if i == active {
			state = "ready"
		}
		if answer, err := b.command(fmt.Sprintf("set server all/s%d state %s", i, state)); err != nil || answer != "" {
			b.t.Fatalf("setting the state of a server in HAProxy: %v %s", err, answer)
		}
	}
}

// command runs a command of HAProxy's runtime API, and returns its answer.
func (b *LoadBalancer) command(text string) (string, error) {
	conn, err := net.DialTimeout("unix", b.socket, time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if _, err := fmt.Fprintln(conn, text); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(conn)
	return strings.TrimSpace(string(answer)), err
}
