package mc

import (
	"errors"
	"fmt"
	"net"
	"time"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/suggest"
)

// Config is the section "mc" of a source.
type Config struct {
	// Servers are the memcached servers that the members write to, each as host:port; the default port is 11211. A poll
	// reads all of them, so their order, and how the members spread keys over them, does not matter.
	Servers []string

	// KeyFormat is the format of the members' keys: KeyFormatSHA1 for Nova since release 14 (Newton), KeyFormatPlain for older
	// releases.
	KeyFormat string

	// ServiceDownTime is the age up to which a heartbeat counts: Nova's service_down_time.
	ServiceDownTime drivers.Duration

	// ReportInterval is the time between two heartbeats of a member: Nova's report_interval. A server that lost its data
	// is trusted again after twice this time. As in Nova, a ServiceDownTime that is not longer is replaced by two and a half
	// times this.
	ReportInterval drivers.Duration

	// Timeout bounds the requests to one server in a poll or a heartbeat, including connecting. A context may end them
	// sooner.
	Timeout drivers.Duration

	// TLS encrypts connections; nil: they are not encrypted.
	TLS *drivers.TLS

	// MayBeEmpty is set for one of several rosters of the same Nova, of which any may have no members.
	MayBeEmpty bool

	// Dial makes the connections; nil: a [net.Dialer] does.
	Dial drivers.Dialer
}

// maxServers is how many servers fit into a serverSet.
const maxServers = 64

// DefaultConfig returns Nova's defaults. The servers are still to be set.
func DefaultConfig() Config {
	return Config{
		KeyFormat:       KeyFormatSHA1,
		ServiceDownTime: drivers.Duration(60 * time.Second),
		ReportInterval:  drivers.Duration(10 * time.Second),
		Timeout:         drivers.Duration(3 * time.Second),
	}
}

// Validate returns every mistake as a [drivers.FieldError], joined with errors.Join.
func (c *Config) Validate() error {
	errs := []error{c.checkServers(), c.TLS.Validate()}
	if c.format() == nil {
		errs = append(errs, drivers.Field("key_format", "%w", suggest.NotOneOf(c.KeyFormat, []string{KeyFormatSHA1, KeyFormatPlain})))
	}
	return errors.Join(append(errs, drivers.CheckPositive("service_down_time", c.ServiceDownTime),
		drivers.CheckPositive("report_interval", c.ReportInterval), drivers.CheckPositive("timeout", c.Timeout))...)
}

func (c *Config) checkServers() error {
	switch n := len(c.Servers); {
	case n == 0:
		return drivers.Field("servers", "is empty: list at least one server, for example [mc1:11211, mc2:11211]")
	case n > maxServers:
		return drivers.Field("servers", "has %d servers; at most %d are possible", n, maxServers)
	}
	var errs []error
	seen := map[address]bool{}
	for _, s := range c.Servers {
		addr, err := parseServer(s)
		if err == nil && seen[addr] {
			err = fmt.Errorf("%q is given twice", s)
		}
		if err != nil {
			errs = append(errs, drivers.Field("servers", "%w", err))
		}
		seen[addr] = true
	}
	return errors.Join(errs...)
}

// format returns the format that KeyFormat names, nil if it names none.
func (c *Config) format() keyFormat {
	switch c.KeyFormat {
	case KeyFormatSHA1:
		return sha1Keys{}
	case KeyFormatPlain:
		return plainKeys{}
	}
	return nil
}

// DownTime returns the service_down_time in effect, corrected by [drivers.DownTime].
func (c *Config) DownTime() time.Duration {
	return drivers.DownTime(time.Duration(c.ServiceDownTime), time.Duration(c.ReportInterval))
}

// parseServer parses an element of Servers.
func parseServer(s string) (address, error) {
	host, port, err := drivers.ParseServer(s, "mc1:11211")
	return address(net.JoinHostPort(host, port)), err
}
