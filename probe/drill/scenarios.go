package drill

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/probe"
)

// runScenarios repeats the scenario of every member until the end, which also ends all waits and joins.
func (r *run) runScenarios(ctx context.Context, end time.Time) error {
	untilEnd, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	err := r.repeatScenarios(untilEnd, end)
	if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

func (r *run) repeatScenarios(ctx context.Context, end time.Time) error {
	work, ctx := errgroup.WithContext(ctx)
	byScenario := map[scenario][]*member{}
	for _, m := range r.members {
		s := m.history.scenario
		byScenario[s] = append(byScenario[s], m)
		switch s {
		case scenarioKill:
			work.Go(func() error { return r.killAndReturn(ctx, m, end) })
		case scenarioFlap:
			work.Go(func() error { return r.flap(ctx, m, end) })
		default: // The members of each other scenario share a network.
		}
	}
	if members := byScenario[scenarioPartition]; len(members) > 0 {
		work.Go(func() error { return r.partition(ctx, members, end) })
	}
	if len(byScenario[scenarioPause]) > 0 {
		work.Go(func() error { return r.pause(ctx, end) })
	}
	work.Go(func() error {
		<-ctx.Done() // at the end, or earlier
		return ctx.Err()
	})
	if err := work.Wait(); err != nil {
		return fmt.Errorf("running the scenarios: %w", err)
	}
	return nil
}

// detectionLimit returns how long the detection of a death may take by the rules of the backends, and on a busy machine.
func (r *run) detectionLimit() time.Duration {
	return r.downTime + r.Source.PollInterval + r.downTime/4 + time.Second
}

// timeForDeath reports whether a death that begins now can be detected before the end.
func (r *run) timeForDeath(end time.Time) bool { return time.Until(end) > r.detectionLimit() }

// killAndReturn repeatedly kills the member at a random moment, waits until its death is detected or overdue, and joins it
// again.
func (r *run) killAndReturn(ctx context.Context, m *member, end time.Time) error {
	// The first deaths are spread over all the time in which a death can still be detected.
	pause := rand.N(max(time.Until(end)-r.detectionLimit(), 1))
	for {
		if err := probe.Sleep(ctx, pause); err != nil || !r.timeForDeath(end) {
			return err
		}
		died := r.kill(m)
		r.observer.waitFor(ctx, m.history.member, false, died, 2*r.detectionLimit())
		if err := probe.Sleep(ctx, rand.N(r.downTime/4+1)); err != nil {
			return err
		}
		if err := r.rejoin(ctx, m, end); err != nil || !m.Alive() {
			return err
		}
		r.observer.waitFor(ctx, m.history.member, true, died, r.detectionLimit())
		pause = rand.N(r.downTime/2 + 1)
	}
}

// flap repeatedly kills the member and joins it again, without waiting for detection.
func (r *run) flap(ctx context.Context, m *member, end time.Time) error {
	for {
		if err := probe.Sleep(ctx, rand.N(r.downTime*3/2)); err != nil || time.Now().After(end) {
			return err
		}
		r.kill(m)
		if err := probe.Sleep(ctx, rand.N(r.downTime*3/2)); err != nil {
			return err
		}
		if err := r.rejoin(ctx, m, end); err != nil || !m.Alive() {
			return err
		}
	}
}

// rejoin joins a dead member again. Like a real member it retries until it succeeds. It gives up at the end of the drill.
func (r *run) rejoin(ctx context.Context, m *member, end time.Time) error {
	const pause = 200 * time.Millisecond
	var failing drivers.LastingError
	for {
		err := r.join(ctx, m)
		if err == nil || ctx.Err() != nil || time.Now().After(end) {
			return ctx.Err()
		}
		r.failedJoins.Add(1)
		if failed, _ := failing.Update(err); failed {
			r.Logger.Warn("Simulated member could not rejoin, retrying", "member", m.history.member, "err", err)
		}
		if err := probe.Sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// partition repeatedly cuts the network of the members until the deaths of all are detected or overdue, and heals it.
func (r *run) partition(ctx context.Context, members []*member, end time.Time) error {
	n := r.networks[scenarioPartition]
	defer n.heal()
	for {
		if err := probe.Sleep(ctx, rand.N(r.downTime/2+1)); err != nil || !r.timeForDeath(end) {
			return err
		}
		n.cut()
		at := time.Now()
		for _, m := range members {
			r.recordDeath(m, at)
		}
		deadline := at.Add(2 * r.detectionLimit())
		for _, m := range members {
			r.observer.waitFor(ctx, m.history.member, false, at, time.Until(deadline))
		}
		n.heal()
		healed := time.Now()
		for _, m := range members {
			m.history.spans = append(m.history.spans, span{from: healed})
		}
		// The clients of the members reconnect without help.
		deadline = healed.Add(2 * r.detectionLimit())
		for _, m := range members {
			r.observer.waitFor(ctx, m.history.member, true, at, time.Until(deadline))
		}
	}
}

// pause repeatedly cuts the network of its members for a quarter of the heartbeat timeout, which must not be detected as a
// death.
func (r *run) pause(ctx context.Context, end time.Time) error {
	n := r.networks[scenarioPause]
	defer n.heal()
	for {
		if err := probe.Sleep(ctx, r.downTime+rand.N(r.downTime/2+1)); err != nil || time.Now().After(end) {
			return err
		}
		n.cut()
		err := probe.Sleep(ctx, r.downTime/4)
		n.heal()
		if err != nil {
			return err
		}
	}
}
