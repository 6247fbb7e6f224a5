package drivers

import (
	"context"
	"net"
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
