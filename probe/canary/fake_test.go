package canary

import (
	"context"
	"errors"
	"sync"
	"time"

	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/probe"
)

// downTime is the heartbeat timeout of the fake backend.
const downTime = 10 * time.Second

var errRefused = errors.New("refused")

// A fake is a backend in which a member stays up for downTime after its death.
type fake struct {
	mu      sync.Mutex
	members map[string]*fakeMember
	// Faults.
	noPolls, noJoin, noReturn, noLeave, alwaysDown, alwaysUp bool
}

type fakeMember struct {
	alive bool
	died  time.Time
}

func newFake() *fake { return &fake{members: map[string]*fakeMember{}} }

// source returns a source of the backend that is polled twice per second.
func (f *fake) source() probe.Source {
	return probe.Source{
		Name: "lab", Driver: "fake", PollInterval: 500 * time.Millisecond, PollTimeout: time.Second,
		Open: func(string, []string, drivers.Dialer) (drivers.Driver, error) { return f, nil },
	}
}

func (f *fake) Close() error { return nil }

func (f *fake) Members(context.Context) (*drivers.Poll, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.noPolls {
		return nil, drivers.Unavailable(drivers.ReasonConnect, errRefused)
	}
	poll := &drivers.Poll{DownTime: downTime, Backend: "fake"}
	for name, m := range f.members {
		up := m.alive || f.alwaysUp || time.Since(m.died) < downTime
		poll.Members = append(poll.Members, drivers.Member{
			Group: config.CanaryPrefix, Name: name, Up: up && !f.alwaysDown, Rostered: true, SessionTimeout: downTime,
		})
	}
	return poll, nil
}

func (f *fake) Join(_ context.Context, req drivers.JoinRequest) (drivers.Membership, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.members[req.Name]
	if f.noJoin || f.noReturn && m != nil {
		return nil, errRefused
	}
	if m == nil {
		m = &fakeMember{}
		f.members[req.Name] = m
	}
	m.alive = true
	return &fakeMembership{f, req.Name}, nil
}

func (f *fake) Leave(_ context.Context, _, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.noLeave {
		return errRefused
	}
	if f.members[name] == nil {
		return drivers.ErrNoMember
	}
	delete(f.members, name)
	return nil
}

func (f *fake) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.members)
}

type fakeMembership struct {
	*fake
	name string
}

func (m *fakeMembership) Leave(ctx context.Context) error          { return m.fake.Leave(ctx, "", m.name) }
func (m *fakeMembership) Die(context.Context, drivers.Death) error { return nil }
func (m *fakeMembership) Done() <-chan struct{}                    { return nil }
func (m *fakeMembership) Err() error                               { return nil }

func (m *fakeMembership) Abandon() {
	m.mu.Lock()
	defer m.mu.Unlock()
	member := m.members[m.name]
	member.alive, member.died = false, time.Now()
}
