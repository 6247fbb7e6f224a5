package session

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"servicegroup_exporter/drivers"
)

// A Server is a host and a port. The host may be a name with several addresses.
type Server struct{ host, port string }

// String returns host:port.
func (s Server) String() string { return net.JoinHostPort(s.host, s.port) }

// ParseServer parses a server of a list, see [drivers.ParseServer].
func ParseServer(s string) (Server, error) {
	if strings.Contains(s, "/") {
		return Server{}, fmt.Errorf("%q is not one host:port: write each server as an entry of its own, and the path as chroot", s)
	}
	host, port, err := drivers.ParseServer(s, "zk1:2181")
	return Server{host, port}, err
}

// connect connects to a server, at any of its addresses if its name has several. It looks the name up for each call, since
// servers move, and tries the addresses in random order, since each may be a server of its own.
func (d *Dialer) connect(ctx context.Context, to Server) (net.Conn, error) {
	addresses, err := net.DefaultResolver.LookupHost(ctx, to.host)
	if err != nil {
		return nil, fmt.Errorf("%v: %w", to, err)
	}
	rand.Shuffle(len(addresses), func(i, j int) { addresses[i], addresses[j] = addresses[j], addresses[i] })
	deadline, _ := ctx.Deadline()
	for i, address := range addresses {
		share := time.Until(deadline) / time.Duration(len(addresses)-i)
		var conn net.Conn
		if conn, err = d.connectTo(ctx, share, net.JoinHostPort(address, to.port), to.host); err == nil {
			return conn, nil
		}
	}
	return nil, fmt.Errorf("%v: %w", to, err)
}

// connectTo connects to one address of a host within the timeout, with TLS if that is configured.
func (d *Dialer) connectTo(ctx context.Context, timeout time.Duration, address, host string) (net.Conn, error) {
	ctx, cancel := drivers.WithLimit(ctx, timeout)
	defer cancel()
	conn, err := d.Net(ctx, "tcp", address)
	if err == nil {
		conn, err = d.TLS.Client(ctx, conn, host)
	}
	if err != nil && drivers.Ended(ctx) {
		err = fmt.Errorf("connecting to %s: %w", address, drivers.NoAnswer(ctx, err))
	}
	return conn, err
}

// versionTimeout bounds the question for a server's version. The version is only shown, so it is not worth waiting for.
const versionTimeout = 500 * time.Millisecond

// serverVersion returns the version of the server of a session, empty if the server does not tell it. The protocol has no
// request for it, so it sends the command srvr over a connection of its own; srvr is the only command that servers allow
// by default.
func (d *Dialer) serverVersion(ctx context.Context, s *Session) string {
	ctx, cancel := context.WithTimeout(ctx, versionTimeout)
	defer cancel()
	conn, err := d.connectTo(ctx, versionTimeout, s.Server, s.host)
	if err != nil {
		return ""
	}
	defer conn.Close()
	answer, _ := command(ctx, conn, "srvr") // After a failure, what was read before may have the version.
	return parseVersion(answer)
}

// parseVersion returns 3.8.0 for "Zookeeper version: 3.8.0-5a02a05eddb59aee6ac762f7ea82e92a68eb9c0f, built on …".
func parseVersion(srvr string) string {
	_, after, found := strings.Cut(srvr, "Zookeeper version: ")
	if !found {
		return ""
	}
	version, _, _ := strings.Cut(after, ",")
	version, _, _ = strings.Cut(version, "-")
	return strings.TrimSpace(version)
}
