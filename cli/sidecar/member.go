// Package sidecar keeps a member in a group for as long as a systemd unit is active. It runs beside the unit, which needs no
// change.
//
// A follower asks systemd, over D-Bus, when a run of the unit begins, and how it ended. A [Member] joins for each run. When
// the unit was asked to stop, the member leaves. When the unit failed, was killed or exited by itself, the member dies.
package sidecar

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"servicegroup_exporter/drivers"
)

// A Member is a member of a group whose life follows a unit.
type Member struct {
	Unit    string // the full name, see [UnitName]
	Request drivers.JoinRequest
	Joiner  drivers.Joiner
	Timeout time.Duration // of each request to the backend
	Logger  *slog.Logger
	System  System
}

// The pauses between attempts to join.
const (
	firstJoinPause   = time.Second
	longestJoinPause = 15 * time.Second
)

// Run follows the unit until ctx ends, and then leaves the group. It returns an error if the member can never join, or if it can't
// leave in the end.
func (m *Member) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	f := newFollower(m.Unit, m.System, m.Logger)
	following := make(chan struct{})
	go func() {
		defer close(following)
		f.run(ctx)
	}()
	defer func() {
		cancel()
		<-following
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case run := <-f.runs:
			if err := m.accompany(ctx, run); err != nil {
				return err
			}
		}
	}
}

// accompany is a member during one run of the unit.
func (m *Member) accompany(ctx context.Context, run *Run) error {
	membership, err := m.join(run)
	if membership == nil {
		return err
	}
	defer membership.Abandon() // The member must not live on if leaving fails.
	m.Logger.Info("Joined the group")
	select {
	case <-run.ctx.Done():
	case <-membership.Done():
		m.Logger.Error("Another client ended the membership, the member joins again at the next start of the unit", "err", membership.Err())
		<-run.ctx.Done()
		return nil
	}
	if ctx.Err() != nil {
		return m.leave(ctx, membership)
	}
	if run.end.Died {
		err = m.die(ctx, membership, run.end)
	} else {
		err = m.leave(ctx, membership)
	}
	if err != nil {
		m.Logger.Warn("Can't tell the backend that the unit has ended, the member is down after its heartbeat timeout", "err", err)
	}
	return nil
}

// join joins the group. It tries again until that succeeds or the run ends, and then returns no membership. Its error says
// that the member can never join.
func (m *Member) join(run *Run) (drivers.Membership, error) {
	var failing drivers.LastingError
	for pause := firstJoinPause; ; pause = min(2*pause, longestJoinPause) {
		ctx, cancel := context.WithTimeout(run.ctx, m.Timeout)
		membership, err := m.Joiner.Join(ctx, m.Request)
		cancel()
		switch {
		case err == nil:
			return membership, nil
		case run.ctx.Err() != nil:
			return nil, nil
		case !errors.Is(err, drivers.ErrUnavailable) && !errors.Is(err, drivers.ErrNameTaken):
			return nil, err
		}
		if failed, _ := failing.Update(err); failed {
			m.Logger.Warn("Can't join the group yet, trying again while the unit is active", "err", err)
		}
		select {
		case <-time.After(pause):
		case <-run.ctx.Done():
			return nil, nil
		}
	}
}

// leave leaves the group. It also does so after ctx has ended.
func (m *Member) leave(ctx context.Context, membership drivers.Membership) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), m.Timeout)
	defer cancel()
	if err := membership.Leave(ctx); err != nil {
		return fmt.Errorf("leaving: %w", err)
	}
	m.Logger.Info("Left the group")
	return nil
}

// die records the death of the member. It also does so after ctx has ended.
func (m *Member) die(ctx context.Context, membership drivers.Membership, end End) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), m.Timeout)
	defer cancel()
	if err := membership.Die(ctx, drivers.Death{At: end.At, Cause: end.Cause}); err != nil {
		return fmt.Errorf("recording a death: %w", err)
	}
	m.Logger.Info("Recorded the death of the member")
	return nil
}
