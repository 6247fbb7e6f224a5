// Package hosts decides which machines are down, from the members of all sources that run on them. It is pure: it starts no
// goroutine, reads no clock and writes no metric.
//
//   - name.go finds the name of a member's host.
//   - host.go decides which hosts are down.
//   - cause.go decides whether a member died alone or with its host.
package hosts

import (
	"net"
	"net/netip"
	"regexp"
	"strings"
)

// A Naming tells which host a member runs on. The zero value is the default, which is right for the members of Nova, Neutron, Cinder
// and Heat together, and for members in ZooKeeper that are named by their address.
type Naming struct {
	// Match is a regular expression, anchored at both ends, for the name of a member. The host is its first group that is not empty. A member
	// whose name does not match has no host. Nil: the host is the name without what services add to it.
	Match *regexp.Regexp
	// KeepDomain makes hosts with the same name and different domains different hosts. Otherwise compute-1 and
	// compute-1.example.org are one host, compute-1: one service of a machine may know the domain, and another not.
	KeepDomain bool
}

// Equal reports whether both say the same of every member.
func (n *Naming) Equal(other *Naming) bool {
	text := func(r *regexp.Regexp) string {
		if r == nil {
			return ""
		}
		return r.String()
	}
	return n.KeepDomain == other.KeepDomain && text(n.Match) == text(other.Match)
}

// Host returns the name of the host that a member runs on; empty: it has none.
//
// By default it is the member's name without "@backend" and "#pool", which Cinder adds, without ":port" (in Solr ":port_path"), and
// without the domain. It is the whole name if nothing else is left.
func (n *Naming) Host(member string) string {
	var host string
	if n.Match != nil {
		host = n.matched(member)
	} else if host = withoutPort(withoutBackend(member)); host == "" {
		host = member
	}
	if n.KeepDomain {
		return host
	}
	return withoutDomain(host)
}

func (n *Naming) matched(member string) string {
	groups := n.Match.FindStringSubmatch(member)
	if len(groups) == 1 {
		return groups[0] // The expression has no group.
	}
	for i := 1; i < len(groups); i++ {
		if groups[i] != "" {
			return groups[i]
		}
	}
	return ""
}

// Service returns what tells the services of a group on one host apart: the member's name without the host, and without "@backend"
// and "#pool", because one process of Cinder or Manila has a member for each of its backends. It is often empty, and ":port" for
// addresses.
func (n *Naming) Service(member string) string {
	service := withoutBackend(member)
	if n.Match != nil {
		return service
	}
	return strings.TrimPrefix(service, withoutPort(service))
}

func withoutBackend(member string) string {
	if end := strings.IndexAny(member, "@#"); end > 0 {
		return member[:end]
	}
	return member
}

func withoutPort(name string) string {
	if strings.IndexByte(name, ':') < 0 {
		return name // The usual case, without the error that is made below.
	}
	host, port, err := net.SplitHostPort(name)
	if err != nil || host == "" {
		return name
	}
	digits := strings.TrimLeft(port, "0123456789")
	if digits == port || digits != "" && digits[0] != '_' {
		return name
	}
	return host
}

func withoutDomain(host string) string {
	end := strings.IndexByte(host, '.')
	if end <= 0 {
		return host
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return host
	}
	return host[:end]
}
