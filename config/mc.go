package config

import (
	"time"

	"servicegroup_exporter/drivers"
)

// The values of [MC.KeyFormat].
const (
	KeyFormatSHA1  = "sha1"
	KeyFormatPlain = "plain"
)

// MC is the section "mc" of a source: heartbeats in memcached.
type MC struct {
	// Servers are the memcached servers that the members write to, each as host:port or host.
	Servers []string `yaml:"servers"`
	// KeyFormat is how members are written: KeyFormatSHA1 as by Nova since release 14 (Newton), KeyFormatPlain as before.
	KeyFormat string `yaml:"key_format"`
	// ServiceDownTime is how old a heartbeat may be: Nova's service_down_time.
	ServiceDownTime drivers.Duration `yaml:"service_down_time"`
	// ReportInterval is the time between two heartbeats of a member: Nova's report_interval.
	ReportInterval drivers.Duration `yaml:"report_interval"`
	// Timeout bounds the requests to one server in a poll or a heartbeat.
	Timeout drivers.Duration `yaml:"timeout"`
	// TLS encrypts connections; nil: they are in the clear.
	TLS *drivers.TLS `yaml:"tls"`
}

// DefaultMC returns Nova's own times. Only the servers are left to be set.
func DefaultMC() MC {
	return MC{
		KeyFormat:       KeyFormatSHA1,
		ServiceDownTime: drivers.Duration(60 * time.Second),
		ReportInterval:  drivers.Duration(10 * time.Second),
		Timeout:         drivers.Duration(3 * time.Second),
	}
}
