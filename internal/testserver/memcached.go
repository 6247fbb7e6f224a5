package testserver

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// MC is a real memcached server. It loses its data when it stops.
type MC struct {
	*Process
	port int
	tls  int // the TLS port, 0 if there is none
}

// Memcached starts a memcached server; args are added to its command line.
func Memcached(t TB, args ...string) *MC {
	t.Helper()
	m := &MC{port: Port(t)}
	argv := append(memcached(t), "-l", "127.0.0.1", "-p", strconv.Itoa(m.port))
	m.Process = newProcess(t, "memcached", TempDir(t), append(argv, args...), m.ping)
	return m
}

// MemcachedTLS starts a memcached server with a TLS port that requires a client certificate of the authority.
func MemcachedTLS(t TB, authority *Authority, certificate *Certificate) *MC {
	t.Helper()
	m := &MC{port: Port(t), tls: Port(t)}
	argv := append(memcached(t), "-Z", "-l", "notls:"+m.Addr(), "-l", m.TLSAddr(), "-o", "ssl_chain_cert="+certificate.CertFile+
		",ssl_key="+certificate.KeyFile+",ssl_verify_mode=2,ssl_ca_cert="+authority.File)
	m.Process = newProcess(t, "memcached", TempDir(t), argv, m.ping)
	return m
}

// memcached returns the part of the command line that all servers have.
func memcached(t TB) []string {
	t.Helper()
	argv := []string{find(t, "memcached", "memcached"), "-U", "0", "-m", "64"}
	if os.Getuid() == 0 {
		argv = append(argv, "-u", "root") // Without it memcached refuses to run as root.
	}
	return argv
}

// Addr returns the server's host and port.
func (m *MC) Addr() string { return loopback(m.port) }

// TLSAddr returns the host and TLS port.
func (m *MC) TLSAddr() string { return loopback(m.tls) }

// Command sends one line, and returns the first line of the answer.
func (m *MC) Command(line string) string {
	m.t.Helper()
	answer, err := m.command(line)
	if err != nil {
		m.t.Fatalf("memcached: %s: %v", line, err)
	}
	return answer
}

func (m *MC) command(line string) (string, error) {
	conn, err := net.DialTimeout("tcp", m.Addr(), time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
		return "", err
	}
	if _, err := fmt.Fprintf(conn, "%s\r\n", line); err != nil {
		return "", err
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	return strings.TrimRight(answer, "\r\n"), err
}

func (m *MC) ping() error {
	answer, err := m.command("version")
	loginRequired := strings.Contains(answer, "unauthenticated") // by the option -Y
	if err == nil && !strings.HasPrefix(answer, "VERSION ") && !loginRequired {
		err = fmt.Errorf("unexpected answer to version: %q", answer)
	}
	return err
}
