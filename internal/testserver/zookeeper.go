package testserver

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The manifest of ZooKeeper's jar names all other jars that it needs, except one that it needs for TLS.
const (
	zookeeperJar  = "/usr/share/java/zookeeper.jar"
	nettyCodecJar = "/usr/share/java/netty-codec.jar"
)

// log4j makes the server print warnings and errors.
const log4j = `log4j.rootLogger=WARN, stderr
log4j.appender.stderr=org.apache.log4j.ConsoleAppender
log4j.appender.stderr.layout=org.apache.log4j.PatternLayout
log4j.appender.stderr.layout.ConversionPattern=%d{ISO8601} %p %c{1}: %m%n
`

// ZK is a real ZooKeeper server. Its default tick is 250 ms. Session timeouts may be from 500 ms to an hour.
type ZK struct {
	*Process
	port int
	tls  int // the TLS port, 0 if there is none
}

// ZooKeeper starts one server. Settings are lines that are appended to its zoo.cfg, or properties of Java as -Dname=value.
func ZooKeeper(t TB, settings ...string) *ZK {
	t.Helper()
	z := &ZK{port: Port(t)}
	z.launch(t, TempDir(t), settings, z.serving)
	return z
}

// ZooKeeperTLS starts one server with a TLS port that requires a client certificate of the authority. ZooKeeper needs Netty for
// that. It waits for a handshake, since the first one of a Java server can take seconds.
func ZooKeeperTLS(t TB, authority *Authority, certificate *Certificate) *ZK {
	t.Helper()
	z := &ZK{port: Port(t), tls: Port(t)}
	z.launch(t, TempDir(t), []string{
		"serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory",
		"secureClientPortAddress=127.0.0.1", fmt.Sprintf("secureClientPort=%d", z.tls),
		"ssl.keyStore.location=" + certificate.File, "ssl.trustStore.location=" + authority.File, "ssl.clientAuth=need",
	}, func() error { return handshakes(z.TLSAddr(), certificate) })
	return z
}

// handshakes returns nil if the server at an address ends a TLS handshake, as also when it refuses the certificate of the client.
func handshakes(addr string, client *Certificate) error {
	pair, err := tls.LoadX509KeyPair(client.CertFile, client.KeyFile)
	if err != nil {
		return err
	}
	conn, err := tls.Dial("tcp", addr, &tls.Config{Certificates: []tls.Certificate{pair}, InsecureSkipVerify: true})
	if err != nil {
		if alert, ok := errors.AsType[*net.OpError](err); ok && alert.Op == "remote error" {
			return nil
		}
		return err
	}
	return conn.Close()
}

// ZooKeeperEnsemble starts n servers that form an ensemble, and waits until they have a leader.
func ZooKeeperEnsemble(t TB, n int, settings ...string) []*ZK {
	t.Helper()
	servers := make([]*ZK, n)
	for i := range servers {
		servers[i] = &ZK{port: Port(t)}
		settings = append(settings, fmt.Sprintf("server.%d=127.0.0.1:%d:%d", i+1, Port(t), Port(t)))
	}
	for i, z := range servers {
		dir := TempDir(t)
		if err := os.WriteFile(filepath.Join(dir, "myid"), fmt.Appendf(nil, "%d\n", i+1), 0o666); err != nil {
			t.Fatalf("writing myid: %v", err)
		}
		// The first servers of an ensemble can't serve yet, so wait only until each listens.
		z.launch(t, dir, settings, func() error { return accepts(z.Addr()) })
		z.ready = z.serving
	}
	for _, z := range servers {
		z.WaitReady()
	}
	return servers
}

// ZooKeeperObserver starts a server that leads, and an observer of it, which serves clients read-only while it has no leader. The
// observer connects to the address that link returns for the leader's.
func ZooKeeperObserver(t TB, link func(leader string) string) (leader, observer *ZK) {
	t.Helper()
	leader, observer = &ZK{port: Port(t)}, &ZK{port: Port(t)}
	quorum, election := Port(t), Port(t)
	second := fmt.Sprintf("server.2=127.0.0.1:%d:%d:observer", Port(t), Port(t))
	for i, z := range []*ZK{leader, observer} {
		dir := TempDir(t)
		if err := os.WriteFile(filepath.Join(dir, "myid"), fmt.Appendf(nil, "%d\n", i+1), 0o666); err != nil {
			t.Fatalf("writing myid: %v", err)
		}
		address := loopback(quorum)
		if z == observer {
			address = link(address)
		}
		settings := []string{
			"standaloneEnabled=false", fmt.Sprintf("server.1=%s:%d:participant", address, election), second, "syncLimit=40",
			"-Dreadonlymode.enabled=true",
		}
		if z == observer {
			settings = append(settings, "peerType=observer")
		}
		z.launch(t, dir, settings, z.serving)
	}
	return leader, observer
}

// Leader returns the server that leads the ensemble.
func Leader(t TB, servers []*ZK) *ZK {
	t.Helper()
	deadline := time.Now().Add(startTimeout)
	for time.Now().Before(deadline) {
		for _, z := range servers {
			if z.cmd == nil {
				continue
			}
			if mode, err := z.mode(); err == nil && mode == "leader" {
				return z
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("the ensemble has no leader after %v", startTimeout)
	return nil
}

// Addr returns the server's host and client port.
func (z *ZK) Addr() string { return loopback(z.port) }

// TLSAddr returns the host and TLS port.
func (z *ZK) TLSAddr() string { return loopback(z.tls) }

// launch writes the configuration and starts the server.
func (z *ZK) launch(t TB, dir string, settings []string, ready func() error) {
	t.Helper()
	java := find(t, "java", "default-jre-headless")
	if _, err := os.Stat(zookeeperJar); err != nil {
		t.Fatalf("ZooKeeper is not installed: run `make deps`, or `apt-get install libzookeeper-java`")
	}
	var properties []string
	settings = slices.DeleteFunc(slices.Clone(settings), func(setting string) bool {
		if strings.HasPrefix(setting, "-D") {
			properties = append(properties, setting)
		}
		return strings.HasPrefix(setting, "-D")
	})
	lines := append([]string{
		"tickTime=250", "maxSessionTimeout=3600000", "initLimit=40", "syncLimit=20", "maxClientCnxns=0", "forceSync=no",
		"admin.enableServer=false", "4lw.commands.whitelist=*",
		"dataDir=" + dir, "clientPortAddress=127.0.0.1", fmt.Sprintf("clientPort=%d", z.port),
	}, settings...)
	cfg := filepath.Join(dir, "zoo.cfg")
	for path, text := range map[string]string{
		cfg: strings.Join(lines, "\n") + "\n", filepath.Join(dir, "log4j.properties"): log4j,
	} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatalf("configuring ZooKeeper: %v", err)
		}
	}
	z.Process = newProcess(t, "zookeeper", dir, slices.Concat([]string{
		java, "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dzookeeper.jmx.log4j.disable=true",
	}, properties, []string{
		"-cp", zookeeperJar + ":" + nettyCodecJar + ":" + dir, "org.apache.zookeeper.server.quorum.QuorumPeerMain", cfg,
	}), ready)
}

// serving returns nil if the server answers clients, for which it needs a quorum.
func (z *ZK) serving() error {
	mode, err := z.mode()
	if err != nil {
		return err
	}
	if mode == "" {
		return errors.New("not serving yet")
	}
	return nil
}

// mode returns the server's role: standalone, leader or follower; empty if it has none yet.
func (z *ZK) mode() (string, error) {
	conn, err := net.DialTimeout("tcp", z.Addr(), time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(conn, "srvr"); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		return "", err
	}
	_, after, found := strings.Cut(string(answer), "Mode: ")
	if !found {
		return "", nil
	}
	mode, _, _ := strings.Cut(after, "\n")
	return mode, nil
}

// Mode returns the server's role: standalone, leader, follower, observer or read-only; empty if it has none.
func (z *ZK) Mode() string {
	mode, err := z.mode()
	if err != nil {
		return ""
	}
	return mode
}
