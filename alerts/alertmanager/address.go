package alertmanager

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"

	promconfig "github.com/prometheus/common/config"
)

// lookup returns the addresses of a name by the resolver of this machine.
func lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

// usable returns addresses sorted, each once. It leaves out those that this machine has no route to, as IPv6 addresses of a
// machine that has only IPv4, unless it has a route to none.
func usable(addresses []netip.Addr) []netip.Addr {
	var all, routed []netip.Addr
	for _, a := range addresses {
		all = append(all, a.Unmap())
	}
	slices.SortFunc(all, netip.Addr.Compare)
	all = slices.Compact(all)
	for _, a := range all {
		if hasRoute(a) {
			routed = append(routed, a)
		}
	}
	if len(routed) == 0 {
		return all
	}
	return routed
}

// hasRoute reports whether this machine has a route to an address. Connecting a UDP socket sends nothing.
func hasRoute(a netip.Addr) bool {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, 9)))
	if err != nil {
		return false
	}
	_ = conn.Close() // Nothing was sent.
	return true
}

// isLocalhost reports whether a name is this machine's, whose addresses lead to the same server.
func isLocalhost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r > '~' })
}

// dialAddress makes connections to a host go to one of its addresses. The name stays in the Host header, and certificates are
// checked for it.
func dialAddress(host string, address netip.Addr) promconfig.HTTPClientOption {
	return promconfig.WithDialContextFunc(func(ctx context.Context, network, to string) (net.Conn, error) {
		if name, port, err := net.SplitHostPort(to); err == nil && strings.EqualFold(name, host) {
			to = net.JoinHostPort(address.String(), port)
		}
		return (&net.Dialer{}).DialContext(ctx, network, to)
	})
}
