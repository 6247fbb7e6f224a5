package probe

import (
	"context"
	"fmt"
	"time"

	"servicegroup_exporter/drivers"
)

// A Source is a configured source. Its simulated members live in a private part of the backend, which the source itself does
// not read.
type Source struct {
	// Name is the value of the label "source". Driver names the driver.
	Name, Driver string
	// PollInterval is the time between two polls. It is zero if only scrapes and watches cause polls.
	PollInterval time.Duration
	// PollTimeout bounds each poll at this interval.
	PollTimeout time.Duration
	// Open opens a driver on the private part of the backend, for the members of a group. A backend without a roster needs
	// their names. dial makes the connections; nil uses the network.
	Open func(group string, names []string, dial drivers.Dialer) (drivers.Driver, error)
}

// OpenJoiner is like Open, for a driver that members join through. The caller closes the driver.
func (s *Source) OpenJoiner(group string, names []string, dial drivers.Dialer) (drivers.Driver, drivers.Joiner, error) {
	driver, err := s.Open(group, names, dial)
	if err != nil {
		return nil, nil, fmt.Errorf("source %s: %w", s.Name, err)
	}
	joiner, ok := driver.(drivers.Joiner)
	if !ok {
		driver.Close()
		return nil, nil, fmt.Errorf("source %s is read-only: driver %s can't join members", s.Name, s.Driver)
	}
	return driver, joiner, nil
}

// Members returns the members of a group that the backend has. It omits members that are only in the roster that was passed
// to Open.
func (s *Source) Members(ctx context.Context, driver drivers.Driver, group string) ([]drivers.Member, error) {
	poll, err := driver.Members(ctx)
	if err != nil {
		return nil, err
	}
	var members []drivers.Member
	for _, m := range poll.Members {
		listedOnly := poll.RosterIsGiven && !m.Up && m.LastHeartbeat.IsZero()
		if m.Group == group && !listedOnly {
			members = append(members, m)
		}
	}
	return members, nil
}
