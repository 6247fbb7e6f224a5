package main

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// A machine runs three services, which report to the databases.
type machine struct {
	name string

	mu       sync.Mutex
	released chan struct{} // closed while reports pass
}

// hold holds all reports of the machine, and returns when.
func (m *machine) hold() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.released = make(chan struct{})
	return time.Now()
}

// release sends the reports that wait, and lets later ones pass.
func (m *machine) release() {
	m.mu.Lock()
	defer m.mu.Unlock()
	close(m.released)
}

// pass waits until reports pass, or the context ends.
func (m *machine) pass(ctx context.Context) {
	m.mu.Lock()
	released := m.released
	m.mu.Unlock()
	select {
	case <-released:
	case <-ctx.Done():
	}
}

// A service is a service on a machine.
type service struct {
	machine  *machine
	db       *sql.DB
	update   string // the statement of a report, with the member's name
	member   string
	interval time.Duration
}

// run reports at regular intervals from a random instant on, until the context ends. It counts the reports.
func (s *service) run(ctx context.Context, reported func(*service)) error {
	next := time.NewTimer(rand.N(s.interval))
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-next.C:
		}
		if s.machine.pass(ctx); ctx.Err() != nil {
			return nil
		}
		next.Reset(s.interval)
		if _, err := s.db.ExecContext(ctx, s.update, s.member); err != nil && ctx.Err() == nil {
			return fmt.Errorf("%s: %w", s.member, err)
		}
		reported(s)
	}
}

// The statements that add a member, with its name and the zone, and that report for it.
const (
	addCompute = "INSERT INTO services (host, `binary`, topic, report_count, disabled, deleted, forced_down, version, created_at, last_seen_up) " +
		"VALUES (?, 'nova-compute', 'compute', 1, 0, 0, 0, 66, UTC_TIMESTAMP(), UTC_TIMESTAMP())"
	reportCompute = "UPDATE services SET report_count = report_count + 1, last_seen_up = UTC_TIMESTAMP() WHERE host = ?"

	addAgent = "INSERT INTO agents (id, agent_type, `binary`, topic, host, availability_zone, configurations, created_at, started_at, heartbeat_timestamp) " +
		"VALUES (UUID(), 'Open vSwitch agent', 'neutron-openvswitch-agent', 'N/A', ?, ?, '{}', UTC_TIMESTAMP(), UTC_TIMESTAMP(), UTC_TIMESTAMP())"
	reportAgent = "UPDATE agents SET heartbeat_timestamp = UTC_TIMESTAMP() WHERE host = ?"

	addVolume = "INSERT INTO services (host, `binary`, topic, availability_zone, report_count, disabled, deleted, created_at, updated_at) " +
		"VALUES (?, 'cinder-volume', 'cinder-volume', ?, 1, 0, 0, UTC_TIMESTAMP(), UTC_TIMESTAMP())"
	reportVolume = "UPDATE services SET report_count = report_count + 1, updated_at = UTC_TIMESTAMP() WHERE host = ?"
)
