// Package probe has members that stand for no process: they join a group through the real driver, die as by kill -9,
// and return, so that what this program sees of them can be compared with what happened to them. The canary, drills and
// the demonstration use them.
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
	membership drivers.Membership // nil while it is dead
}

// NewMember makes a member that is still to join.
func NewMember(joiner drivers.Joiner, group, name string) *Member {
	return &Member{joiner: joiner, request: drivers.JoinRequest{Group: group, Name: name}}
}

// Name is the member's name in its group.
func (m *Member) Name() string { return m.request.Name }

// Alive says whether the member has joined and has neither died nor left since.
func (m *Member) Alive() bool { return m.membership != nil }

// Join lets the member live, for the first time or again. It returns when the member is there for others to see.
func (m *Member) Join(ctx context.Context) error {
	membership, err := m.joiner.Join(ctx, m.request)
	if err != nil {
		return fmt.Errorf("joining a simulated member: %w", err)
	}
	m.membership = membership
	return nil
}

// Kill ends all proofs of life without a word to the backend, as kill -9 would, and gives when that began: no proof of
// life was begun after it.
func (m *Member) Kill() time.Time {
	at := time.Now()
	m.membership.Abandon()
	m.membership = nil
	return at
}

// Leave removes the member, dead or alive, so that nothing of it is left. One that never joined is no error.
func (m *Member) Leave(ctx context.Context) error {
	if m.membership != nil {
		membership := m.membership
		m.membership = nil
		if err := membership.Leave(ctx); err == nil && membership.Err() == nil {
			return nil
		}
		// Its last word was not heard, or it had been thrown out: what there is of it is removed as anybody would.
	}
	err := m.joiner.Leave(ctx, m.request.Group, m.request.Name)
	if err != nil && !errors.Is(err, drivers.ErrNoMember) {
		return fmt.Errorf("removing a simulated member: %w", err)
	}
	return nil
}
