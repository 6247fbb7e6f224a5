package drill

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// perform does everything between open and cleanUp, and returns the report.
func (r *run) perform(ctx context.Context) (*Report, error) {
	lag := newTimerLag()
	defer lag.stop()
	report := &Report{
		Source: r.Source.Name, Driver: r.Source.Driver, Group: r.group, Started: time.Now(), Members: r.Members,
		DownTime: r.downTime.Seconds(), PollInterval: r.Source.PollInterval.Seconds(), Scenarios: make(map[scenario]int),
	}
	if err := r.joinAll(ctx, report); err != nil {
		return nil, err
	}
	r.replaceScenarios()
	for _, m := range r.members {
		report.Scenarios[m.history.scenario]++
	}
	if r.Baseline > 0 {
		r.progress("measuring for %v what %d live members cost", r.Baseline, r.Members)
		before := r.readMeters()
		if err := sleep(ctx, r.Baseline); err != nil {
			return nil, err
		}
		after := r.readMeters()
		report.Baseline = before.load(&after)
	}
	duration := r.Duration
	if duration == 0 {
		duration = 4*r.downTime + 10*time.Second
	}
	r.progress("running the scenarios for %v", duration)
	end := time.Now().Add(duration)
	if err := r.runScenarios(ctx, end); err != nil {
		return nil, err
	}
	report.FailedJoins = int(r.failedJoins.Load())
	report.Duration, report.TimerLag, report.Backend = duration.Seconds(), lag.longest().Seconds(), r.polls.Snapshot().Backend
	r.compare(report, end)
	return report, nil
}

// replaceScenarios changes the scenario of members whose network should be cut although their driver has no network.
func (r *run) replaceScenarios() {
	for from, to := range map[scenario]scenario{scenarioPartition: scenarioKill, scenarioPause: scenarioLive} {
		n := r.networks[from]
		if n == nil || n.dials.Load() > 0 {
			continue
		}
		r.progress("an embedded store has no network: scenario %s is replaced by %s", from, to)
		for _, m := range r.members {
			if m.history.scenario == from {
				m.history.scenario = to
			}
		}
	}
}

// compare fills the report with the comparison of what happened and what polls saw.
func (r *run) compare(report *Report, end time.Time) {
	seen := r.observer.observations()
	histories := make([]history, len(r.members))
	for i, m := range r.members {
		histories[i] = m.history
	}
	c := &comparison{seen: seen, end: end, downTime: r.downTime, pollInterval: r.Source.PollInterval}
	c.compareAll(histories)
	report.score(c)
	report.Timeline = report.timeline(histories, &seen, end)
}

// joinAll joins the members at the configured rate, and waits until polls see all of them up.
func (r *run) joinAll(ctx context.Context, report *Report) error {
	r.progress("joining %d members to %s, %v per second", r.Members, r.Source.Name, r.Rate)
	joins, joining := errgroup.WithContext(ctx)
	joins.SetLimit(concurrentJoins)
	latencies := make([]float64, len(r.members))
	begun := time.Now()
	for i, m := range r.members {
		due := begun.Add(time.Duration(float64(i) / r.Rate * float64(time.Second)))
		if err := sleep(joining, time.Until(due)); err != nil {
			break // A join failed, or ctx ended: Wait returns the error.
		}
		joins.Go(func() error {
			asked := time.Now()
			err := m.join(joining)
			latencies[i] = time.Since(asked).Seconds()
			return err
		})
	}
	if err := joins.Wait(); err != nil {
		return err
	}
	report.Joining = Joining{Seconds: time.Since(begun).Seconds(), Latency: summarize(latencies)}
	for deadline := time.Now().Add(r.downTime + seenUpTimeout); ; {
		unseen := r.observer.countUnseen(r.names())
		if unseen == 0 {
			report.Joining.Seen = time.Since(begun).Seconds()
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d of %d members have joined, but no poll has seen them up", unseen, r.Members)
		}
		if err := sleep(ctx, recheckInterval); err != nil {
			return err
		}
	}
}

// recheckInterval is the time between two checks whether all members have been seen up.
const recheckInterval = 20 * time.Millisecond

// join joins the member, and records when it began to live.
func (m *member) join(ctx context.Context) error {
	if err := m.Join(ctx); err != nil {
		return err
	}
	m.history.spans = append(m.history.spans, span{from: time.Now()})
	return nil
}

// kill kills the member. It records and returns when the member died.
func (m *member) kill() time.Time {
	at := m.Kill()
	m.recordDeath(at)
	return at
}

func (m *member) recordDeath(at time.Time) { m.history.spans[len(m.history.spans)-1].until = at }

// forEach calls do for all members, with limited concurrency. Of many errors it returns the first few and the number of the
// others.
func forEach(members []*member, concurrency int, do func(*member) error) error {
	const shown = 3
	var work errgroup.Group
	work.SetLimit(concurrency)
	var mu sync.Mutex
	var errs []error
	failed := 0
	for _, m := range members {
		work.Go(func() error {
			if err := do(m); err != nil {
				mu.Lock()
				defer mu.Unlock()
				if failed++; failed <= shown {
					errs = append(errs, fmt.Errorf("member %s: %w", m.history.member, err))
				}
			}
			return nil
		})
	}
	_ = work.Wait() // The functions return no errors.
	if failed > shown {
		errs = append(errs, fmt.Errorf("and %d others", failed-shown))
	}
	return errors.Join(errs...)
}

// sleep waits for d. It returns an error if ctx ends before.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(max(d, 0))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
