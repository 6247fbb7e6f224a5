package mc

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"servicegroup_exporter/drivers"
)

// Config is the section "mc" of a source.
type Config struct {
	// Servers are the memcached servers that the members write to, each as host:port; the port is 11211 if none is
	// given. All are asked, so that their order, and how the members share keys among them, does not matter.
	Servers []string `yaml:"servers"`

	// Keys says how members are written: KeysSHA1 as by Nova since release 14 (Newton), KeysPlain as before.
	Keys string `yaml:"keys"`

	// ServiceDownTime is how old a heartbeat may be: Nova's service_down_time.
	ServiceDownTime drivers.Duration `yaml:"service_down_time"`

	// ReportInterval is the time between two heartbeats of a member: Nova's report_interval. A server that has lost its
	// memory is believed again after twice as long. As in Nova, a ServiceDownTime that is not longer is replaced by two and a
	// half times this.
	ReportInterval drivers.Duration `yaml:"report_interval"`

	// Timeout bounds what is asked of one server in a poll or a heartbeat, with the connecting that it may take. A
	// context may end it sooner.
	Timeout drivers.Duration `yaml:"timeout"`

	// TLS encrypts connections; nil: they are in the clear.
	TLS *drivers.TLS `yaml:"tls"`

	// Dial makes the connections; nil: the network does.
	Dial drivers.Dialer
}

const (
	defaultPort = "11211"
	// maxServers is how many servers fit into a set.
	maxServers = 64
)

// DefaultConfig returns Nova's own times. Only the servers are left to be set.
func DefaultConfig() Config {
	return Config{
		Keys:            KeysSHA1,
		ServiceDownTime: drivers.Duration(60 * time.Second),
		ReportInterval:  drivers.Duration(10 * time.Second),
		Timeout:         drivers.Duration(3 * time.Second),
	}
}

// Validate returns every mistake as a [drivers.FieldError], joined with errors.Join.
func (c *Config) Validate() error {
	errs := []error{c.checkServers(), c.TLS.Validate()}
	if c.scheme() == nil {
		errs = append(errs, drivers.Field("keys", "%q is none of %s, %s", c.Keys, KeysSHA1, KeysPlain))
	}
	for _, d := range []struct {
		name  string
		value drivers.Duration
	}{
		{"service_down_time", c.ServiceDownTime},
		{"report_interval", c.ReportInterval},
		{"timeout", c.Timeout},
	} {
		if d.value <= 0 {
			errs = append(errs, drivers.Field(d.name, "is %v, must be longer than nothing", d.value))
		}
	}
	return errors.Join(errs...)
}

func (c *Config) checkServers() error {
	switch n := len(c.Servers); {
	case n == 0:
		return drivers.Field("servers", "is empty: name at least one server, as [mc1:11211, mc2:11211]")
	case n > maxServers:
		return drivers.Field("servers", "has %d servers, more than %d", n, maxServers)
	}
	var errs []error
	seen := map[address]bool{}
	for _, s := range c.Servers {
		addr, err := parseServer(s)
		if err == nil && seen[addr] {
			err = fmt.Errorf("%q is there twice", s)
		}
		if err != nil {
			errs = append(errs, drivers.Field("servers", "%w", err))
		}
		seen[addr] = true
	}
	return errors.Join(errs...)
}

// scheme is what Keys means, nil if nothing.
func (c *Config) scheme() scheme {
	switch c.Keys {
	case KeysSHA1:
		return hashed{}
	case KeysPlain:
		return plain{}
	}
	return nil
}

func (c *Config) downTime() time.Duration {
	return drivers.DownTime(time.Duration(c.ServiceDownTime), time.Duration(c.ReportInterval))
}

func (c *Config) timeout() time.Duration { return time.Duration(c.Timeout) }

// parseServer parses host, host:port, an IPv6 address, or [address]:port.
func parseServer(s string) (address, error) {
	if strings.ContainsAny(s, ",/ ") {
		return "", fmt.Errorf("%q is not one host:port: give each server an entry of its own", s)
	}
	if addr, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return address(net.JoinHostPort(addr.String(), defaultPort)), nil
	}
	if !strings.Contains(s, ":") && s != "" {
		return address(net.JoinHostPort(s, defaultPort)), nil
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil || host == "" {
		return "", fmt.Errorf("%q is not a server: write host:port, as mc1:11211 or [::1]:11211", s)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", fmt.Errorf("%q has no port between 1 and 65535: write host:port, as mc1:11211", s)
	}
	return address(net.JoinHostPort(host, port)), nil
}
