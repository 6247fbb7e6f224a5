// Package probe provides synthetic members. A simulated member is no process: it joins a group through the real driver, dies
// as a process dies by kill -9, and returns. What this program sees of the member is compared with what happened to it. The
// canary, the drill and the demo use simulated members.
package probe

import (
	"context"
	"errors"
	"fmt"
	"time"

	"servicegroup_exporter/drivers"
)

// A Member is one simulated member. Its methods must not be called concurrently.
type Member struct {
	joiner     drivers.Joiner
	request    drivers.JoinRequest
	membership drivers.Membership // nil while the member is dead
}

// NewMember returns a member that has not joined yet.
func NewMember(joiner drivers.Joiner, group, name string) *Member {
	return &Member{joiner: joiner, request: drivers.JoinRequest{Group: group, Name: name}}
}

// Name returns the member's name in its group.
func (m *Member) Name() string { return m.request.Name }

// Alive reports whether the member has joined, and has neither died nor left since.
func (m *Member) Alive() bool { return m.membership != nil }

// Join joins the member, for the first time or after a death. It returns when other clients can see the member.
func (m *Member) Join(ctx context.Context) error {
	membership, err := m.joiner.Join(ctx, m.request)
	if err != nil {
		return fmt.Errorf("joining a simulated member: %w", err)
	}
	m.membership = membership
	return nil
}

// Kill stops the member's proofs of life without telling the backend, as kill -9 would. It returns the time at which it
// began: no proof of life was sent later.
func (m *Member) Kill() time.Time {
	at := time.Now()
	m.membership.Abandon()
	m.membership = nil
	return at
}

// Leave removes the member from the backend, dead or alive. It succeeds if the member never joined.
func (m *Member) Leave(ctx context.Context) error {
	if m.membership != nil {
		membership := m.membership
		m.membership = nil
		if err := membership.Leave(ctx); err == nil && membership.Err() == nil {
			return nil
		}
		// The membership could not leave, or had ended. The member's remains are removed from outside.
	}
	err := m.joiner.Leave(ctx, m.request.Group, m.request.Name)
	if err != nil && !errors.Is(err, drivers.ErrNoMember) {
		return fmt.Errorf("removing a simulated member: %w", err)
	}
	return nil
}

// Sleep waits for d. It returns an error if ctx ends before.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
