package session

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

const defaultPort = "2181"

// A Server is a host, which may be a name with several addresses, and a port.
type Server struct{ host, port string }

func (s Server) String() string { return net.JoinHostPort(s.host, s.port) }

// ParseServer parses host, host:port, an IPv6 address, or [address]:port.
func ParseServer(s string) (Server, error) {
	if strings.ContainsAny(s, ",/ ") {
		return Server{}, fmt.Errorf("%q is not one host:port: give each server an entry of its own, and the path as chroot", s)
	}
	if addr, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return Server{addr.String(), defaultPort}, nil
	}
	if !strings.Contains(s, ":") && s != "" {
		return Server{s, defaultPort}, nil
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil || host == "" {
		return Server{}, fmt.Errorf("%q is not a server: write host:port, as zk1:2181 or [::1]:2181", s)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return Server{}, fmt.Errorf("%q has no port between 1 and 65535: write host:port, as zk1:2181", s)
	}
	return Server{host, port}, nil
}
