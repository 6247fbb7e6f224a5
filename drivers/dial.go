package drivers

import (
	"context"
	"net"
)

// A Dialer connects to a server as [net.Dialer.DialContext] does. Drivers that are given one make all their connections
// with it, so that whoever gives it can count what goes over them, or hold it up.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// OrNet is the dialer itself, or the network's own where there is none.
func (d Dialer) OrNet() Dialer {
	if d == nil {
		return (&net.Dialer{}).DialContext
	}
	return d
}
