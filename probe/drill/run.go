package drill

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"servicegroup_exporter/probe"
)

// perform does everything between open and cleanUp, and returns the report. With an error it has what was measured until then,
// nil if no member has joined.
func (r *run) perform(ctx context.Context) (*Report, error) {
	lag := newTimerLag()
	defer lag.stop()
	report := &Report{
		Source: r.Source.Name, Driver: r.Source.Driver, Group: r.group, Started: time.Now(), Members: r.Members,
		DownTime: r.downTime.Seconds(), PollInterval: r.Source.PollInterval.Seconds(), Scenarios: make(map[scenario]int),
	}
	err := r.measure(ctx, report)
	if report.Joining.Joined == 0 {
		return nil, err
	}
	report.FailedJoins = int(r.failedJoins.Load())
	report.TimerLag, report.Backend = lag.longest().Seconds(), r.polls.Snapshot().Backend
	r.compare(report, time.Now())
	return report, err
}

// measure goes through the phases.
func (r *run) measure(ctx context.Context, report *Report) error {
	if err := r.joinAll(ctx, report); err != nil {
		return err
	}
	r.replaceScenarios()
	for _, m := range r.members {
		report.Scenarios[m.history.scenario]++
	}
	if err := r.measureBaseline(ctx, report); err != nil {
		return err
	}
	duration := r.Duration
	if duration == 0 {
		duration = 4*r.downTime + 10*time.Second
	}
	r.begin(func() string {
		return fmt.Sprintf("running the scenarios for %v: %d deaths, of which polls have seen %d", duration, r.deaths.Load(), r.observer.deaths())
	}, "running the scenarios for %v", duration)
	began := time.Now()
	err := r.runScenarios(ctx, began.Add(duration))
	report.Duration = time.Since(began).Seconds()
	return err
}

// measureBaseline measures what live members cost.
func (r *run) measureBaseline(ctx context.Context, report *Report) error {
	if r.Baseline == 0 {
		return nil
	}
	r.begin(nil, "measuring for %v what %d live members cost", r.Baseline, r.Members)
	before := r.readMeters()
	err := probe.Sleep(ctx, r.Baseline)
	after := r.readMeters()
	report.Baseline = before.load(&after)
	return err
}

// replaceScenarios changes the scenario of members whose network should be cut although their driver has no network.
func (r *run) replaceScenarios() {
	for from, to := range map[scenario]scenario{scenarioPartition: scenarioKill, scenarioPause: scenarioLive} {
		n := r.networks[from]
		if n == nil || n.dials.Load() > 0 {
			continue
		}
		r.begin(nil, "an embedded store has no network: scenario %s is replaced by %s", from, to)
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
	var joined atomic.Int64
	done := func() string { return fmt.Sprintf("%d of %d members have joined", joined.Load(), r.Members) }
	r.begin(done, "joining %d members to %s, %v per second, for at most %v each", r.Members, r.Source.Name, r.Rate, r.joinTimeout())
	joins, joining := errgroup.WithContext(ctx)
	joins.SetLimit(concurrentJoins)
	latencies := make([]float64, len(r.members))
	begun := time.Now()
	for i, m := range r.members {
		due := begun.Add(time.Duration(float64(i) / r.Rate * float64(time.Second)))
		if err := probe.Sleep(joining, time.Until(due)); err != nil {
			break // A join failed, or ctx ended: Wait returns the error.
		}
		joins.Go(func() error {
			asked := time.Now()
			if err := r.join(joining, m); err != nil {
				return err
			}
			latencies[i] = time.Since(asked).Seconds()
			joined.Add(1)
			return nil
		})
	}
	err := joins.Wait()
	if ctx.Err() != nil {
		err = ctx.Err() // Perhaps no join was under way.
	}
	latencies = slices.DeleteFunc(latencies, func(l float64) bool { return l == 0 })
	report.Joining = Joining{Seconds: time.Since(begun).Seconds(), Latency: summarize(latencies), Joined: len(latencies)}
	if err != nil {
		return fmt.Errorf("%s: %w", done(), err)
	}
	return r.waitSeen(ctx, report, begun)
}

// waitSeen waits until polls see all members up.
func (r *run) waitSeen(ctx context.Context, report *Report, begun time.Time) error {
	var unseen atomic.Int64
	limit := r.downTime + seenUpTimeout
	r.begin(func() string { return fmt.Sprintf("%d of %d members are not seen up yet", unseen.Load(), r.Members) },
		"waiting until polls see all members up, for at most %v", limit)
	for deadline := time.Now().Add(limit); ; {
		unseen.Store(int64(r.observer.countUnseen(r.names())))
		if unseen.Load() == 0 {
			report.Joining.Seen = time.Since(begun).Seconds()
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d of %d members have joined, but no poll has seen them up within %v%s", unseen.Load(), r.Members, limit, r.whyUnseen())
		}
		if err := probe.Sleep(ctx, recheckInterval); err != nil {
			return err
		}
	}
}

// whyUnseen returns why polls fail, if they do.
func (r *run) whyUnseen() string {
	if s := r.polls.Snapshot(); !s.Readable && s.Err != nil {
		return ": " + s.Err.Error()
	}
	return ""
}

// recheckInterval is the time between two checks whether all members have been seen up.
const recheckInterval = 20 * time.Millisecond

// joinTimeout bounds each join. It is longer than a driver's own timeouts, so that the driver can say why it fails.
func (r *run) joinTimeout() time.Duration { return r.Source.PollTimeout + joinMargin }

// join joins the member, and records when it began to live.
func (r *run) join(ctx context.Context, m *member) error {
	ctx, cancel := context.WithTimeout(ctx, r.joinTimeout())
	defer cancel()
	if err := m.Join(ctx); err != nil {
		return err
	}
	m.history.spans = append(m.history.spans, span{from: time.Now()})
	return nil
}

// kill kills the member. It records and returns when the member died.
func (r *run) kill(m *member) time.Time {
	at := m.Kill()
	r.recordDeath(m, at)
	return at
}

func (r *run) recordDeath(m *member, at time.Time) {
	m.history.spans[len(m.history.spans)-1].until = at
	r.deaths.Add(1)
}

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
