package probe

import (
	"context"
	"fmt"
	"time"

	"servicegroup_exporter/drivers"
)

// A Source is a configured source, whose backend has a place for members that no source reads.
type Source struct {
	// Name is the label "source"; Driver is "db", "mc" or "zk".
	Name, Driver string
	// PollInterval is the time between polls that nobody asked for, zero where only scrapes and watches poll.
	PollInterval time.Duration
	// PollTimeout bounds such polls.
	PollTimeout time.Duration
	// Open makes a driver in that place, for the members of a group, whose names have to be said where the backend keeps
	// no roster. Dial makes its connections; nil: the network does.
	Open func(group string, names []string, dial drivers.Dialer) (drivers.Driver, error)
}

// OpenJoiner is Open for a driver that members join through. The caller closes the driver.
func (s *Source) OpenJoiner(group string, names []string, dial drivers.Dialer) (drivers.Driver, drivers.Joiner, error) {
	driver, err := s.Open(group, names, dial)
	if err != nil {
		return nil, nil, fmt.Errorf("source %s: %w", s.Name, err)
	}
	joiner, ok := driver.(drivers.Joiner)
	if !ok {
		driver.Close()
		return nil, nil, fmt.Errorf("source %s is read only: its driver %s can't join", s.Name, s.Driver)
	}
	return driver, joiner, nil
}

// Members gives the members of a group that left a trace in the backend: one that is only in the roster which Open was given
// is none.
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
