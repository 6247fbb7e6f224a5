package collector

import (
	"time"

	"servicegroup_exporter/collector/hosts"
	"servicegroup_exporter/collector/tracker"
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
	// Open opens the driver. Apply calls it when the source is new or has changed.
	Open func() (drivers.Driver, error)
	// Fingerprint identifies everything that was configured. As long as it stays equal, Apply does not touch the source, its
	// driver and its settings.
	Fingerprint string

	// PollInterval is the time between polls by the timer; zero: only scrapes and the backend's watch poll.
	PollInterval time.Duration
	// PollTimeout is the deadline of a poll whose caller has none, and how old the result of a poll may be that a caller gets
	// whose own deadline ends before the poll does; zero: [DefaultPollTimeout].
	PollTimeout time.Duration
	// ForgetAfter is how long a dead member that the backend no longer lists is remembered; zero: [DefaultForgetAfter].
	ForgetAfter time.Duration

	// ExpectedGroups names the groups that must exist, because their alerts need a number of members. A group that the source
	// does not have counts as one without members. Apply takes it over although the fingerprint is equal.
	ExpectedGroups []string

	// LabelLimit is the maximum length of the value of a label, in bytes; zero: [drivers.MaxText]. Members whose names or whose
	// groups' names are longer are rejected. Apply takes it over although the fingerprint is equal.
	LabelLimit int

	// Naming is for the hosts that the members run on. Apply takes it over although the fingerprint is equal.
	Naming hosts.Naming
	// Suspicion is how members are suspected.
	Suspicion tracker.Suspicion
	// Nova names the Nova that the source is a cell of, empty if it is none. Its cells share a guard: see [tracker.Guard].
	Nova string

	// UpOnly makes service_up the only series of a member.
	UpOnly bool

	// Service is the OpenStack service that the members belong to, "nova", "cinder" or "neutron", for
	// [Options.CompatOpenStackExporter]. Members of any other service have no such series.
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

// tracking returns the settings of the source's tracker.
func (c *SourceConfig) tracking() tracker.Settings {
	return tracker.Settings{
		ForgetAfter: c.ForgetAfter, ExpectedGroups: c.ExpectedGroups, NameLimit: c.LabelLimit,
		Suspicion: c.Suspicion, PollInterval: c.PollInterval,
	}
}
