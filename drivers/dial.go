package drivers

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// A Dialer connects to a server as [net.Dialer.DialContext] does. A driver with a Dialer makes all its connections with it,
// so that the caller can count or delay the traffic.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// OrNet returns the dialer itself, or that of package net if d is nil.
func (d Dialer) OrNet() Dialer {
	if d == nil {
		return (&net.Dialer{}).DialContext
	}
	return d
}

// ParseServer parses a server of a list: host, host:port, an IPv6 address, or [address]:port. The example, such as mc1:11211, is
// for errors, and has the default port.
func ParseServer(text, example string) (host, port string, err error) {
	_, defaultPort, _ := strings.Cut(example, ":")
	zone := strings.Count(text, ":") > 1 // An IPv6 address may have one, as in fe80::1%eth0.
	if strings.ContainsAny(text, ",/ $(){}<>@") || strings.Contains(text, "%") && !zone {
		return "", "", fmt.Errorf("%q is not one host:port: write each server as an entry of its own", text)
	}
	if addr, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return addr.String(), defaultPort, nil
	}
	if !strings.Contains(text, ":") && text != "" {
		return text, defaultPort, nil
	}
	host, port, err = net.SplitHostPort(text)
	if err != nil || host == "" {
		return "", "", fmt.Errorf("%q is not a server: write host:port, as %s or [::1]:%s", text, example, defaultPort)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", "", fmt.Errorf("%q has no port between 1 and 65535: write host:port, as %s", text, example)
	}
	return host, port, nil
}
