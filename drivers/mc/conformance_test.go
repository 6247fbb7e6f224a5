package mc

import (
	"context"
	"strings"
	"testing"
	"time"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/drivertest"
	"servicegroup_exporter/internal/testserver"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	server := testserver.Memcached(t)
	conform(t, config(server), 300*time.Millisecond, drivertest.Backend{Server: server})
}

func TestConformancePlain(t *testing.T) {
	t.Parallel()
	server := testserver.Memcached(t)
	cfg := config(server)
	cfg.KeyFormat = KeyFormatPlain
	// memcached's clock has whole seconds: an item lives for up to one more or less than it was told.
	cfg.ServiceDownTime = drivers.Duration(3 * time.Second)
	conform(t, cfg, 1500*time.Millisecond, drivertest.Backend{
		Server: server, Refuses: func(name string) bool { return strings.Contains(name, " ") },
	})
}

func TestConformanceSeveralServers(t *testing.T) {
	t.Parallel()
	first, second, third := testserver.Memcached(t), testserver.Memcached(t), testserver.Memcached(t)
	conform(t, config(first, second, third), 300*time.Millisecond, drivertest.Backend{})
}

func conform(t *testing.T, cfg Config, slack time.Duration, b drivertest.Backend) {
	t.Helper()
	roster := &fakeRoster{}
	b.Open = func(t *testing.T) drivers.Driver { return &withRoster{open(t, cfg, roster), roster} }
	b.DownTime, b.Slack = time.Duration(cfg.ServiceDownTime), slack
	drivertest.Run(t, b)
}

// withRoster is the driver together with an operator who adds members that join to the roster and removes those that leave.
type withRoster struct {
	*Driver
	roster *fakeRoster
}

func (k *withRoster) Join(ctx context.Context, req drivers.JoinRequest) (drivers.Membership, error) {
	if req.Group != "" && req.Name != "" {
		k.roster.put(drivers.Member{Group: req.Group, Name: req.Name, Rostered: true})
	}
	m, err := k.Driver.Join(ctx, req)
	if err != nil {
		k.roster.remove(req.Group, req.Name)
		return nil, err
	}
	return &rosterMembership{m, k, req}, nil
}

func (k *withRoster) Leave(ctx context.Context, group, name string) error {
	err := k.Driver.Leave(ctx, group, name)
	if err == nil {
		k.roster.remove(group, name)
	}
	return err
}

type rosterMembership struct {
	drivers.Membership
	by  *withRoster
	req drivers.JoinRequest
}

func (m *rosterMembership) Leave(ctx context.Context) error {
	err := m.Membership.Leave(ctx)
	if err == nil {
		m.by.roster.remove(m.req.Group, m.req.Name)
	}
	return err
}
