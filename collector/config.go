package collector

import (
	"time"

	"servicegroup_exporter/drivers"
)

// The defaults of a [SourceConfig].
const (
	DefaultPollTimeout = 10 * time.Second
	DefaultForgetAfter = 24 * time.Hour
)

// SourceConfig is one configured backend.
type SourceConfig struct {
	// Name is the label "source": unique, not empty, valid UTF-8.
	Name string
	// Open makes the driver. It is called by Apply when the source is new or has changed.
	Open func() (drivers.Driver, error)
	// Fingerprint stands for everything that was configured: as long as it stays equal, Apply leaves the source, its
	// driver and its settings alone.
	Fingerprint string

	// PollInterval is the time between polls that nobody asked for; zero: only scrapes and the backend's watch poll.
	PollInterval time.Duration
	// PollTimeout is the deadline of polls whose asker has none; zero: [DefaultPollTimeout].
	PollTimeout time.Duration
	// ForgetAfter is how long a dead member that the backend no longer shows is remembered; zero:
	// [DefaultForgetAfter].
	ForgetAfter time.Duration

	// UpOnly leaves service_up as the only series of a member.
	UpOnly bool

	// Service is the OpenStack service that the members belong to, "nova", "cinder" or "neutron", for
	// [Options.CompatOpenStackExporter]. With any other they have no such series.
	Service string

	// Driver, Schema and Layout are shown by servicegroup_source_info.
	Driver, Schema, Layout string
}

func (c SourceConfig) withDefaults() SourceConfig {
	if c.PollTimeout <= 0 {
		c.PollTimeout = DefaultPollTimeout
	}
	if c.ForgetAfter <= 0 {
		c.ForgetAfter = DefaultForgetAfter
	}
	return c
}
