package drill

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// play runs the drill, after open and before clean.
func (s *stage) play(ctx context.Context) (*Report, error) {
	late := newLateness()
	defer late.stop()
	r := &Report{
		Source: s.Source.Name, Driver: s.Source.Driver, Group: s.group, Started: time.Now(), Members: s.Members,
		DownTime: s.downTime.Seconds(), PollInterval: s.Source.PollInterval.Seconds(), Fates: make(map[fate]int),
	}
	if err := s.assemble(ctx, r); err != nil {
		return nil, err
	}
	s.spare()
	for _, a := range s.actors {
		r.Fates[a.life.fate]++
	}
	if s.Steady > 0 {
		s.say("measuring for %v what %d living members cost", s.Steady, s.Members)
		before := s.read()
		if err := sleep(ctx, s.Steady); err != nil {
			return nil, err
		}
		after := s.read()
		r.Steady = before.load(&after)
	}
	duration := s.Duration
	if duration == 0 {
		duration = 4*s.downTime + 10*time.Second
	}
	s.say("letting things happen for %v", duration)
	end := time.Now().Add(duration)
	if err := s.act(ctx, end); err != nil {
		return nil, err
	}
	r.FailedJoins = int(s.failedJoins.Load())
	r.Duration, r.Lateness, r.Backend = duration.Seconds(), late.worst().Seconds(), s.observer.Snapshot().Backend
	s.judge(r, end)
	return r, nil
}

// spare gives another fate to members that should lose a network which there is not.
func (s *stage) spare() {
	for from, to := range map[fate]fate{fateCut: fateKill, fateFreeze: fateLive} {
		n := s.networks[from]
		if n == nil || n.dials.Load() > 0 {
			continue
		}
		s.say("an embedded store has no network: members to %s will %s", from, to)
		for _, a := range s.actors {
			if a.life.fate == from {
				a.life.fate = to
			}
		}
	}
}

// judge compares what happened with what was seen.
func (s *stage) judge(r *Report, end time.Time) {
	seen := s.eyes.what()
	lives := make([]life, len(s.actors))
	for i, a := range s.actors {
		lives[i] = a.life
	}
	j := &judge{seen: seen, end: end, downTime: s.downTime, poll: s.Source.PollInterval}
	j.judgeAll(lives)
	r.score(j)
	r.Timeline = r.timeline(lives, &seen, end)
}

// assemble lets everybody join at the rate, and waits until all are seen up.
func (s *stage) assemble(ctx context.Context, r *Report) error {
	s.say("joining %d members to %s, %v a second", s.Members, s.Source.Name, s.Rate)
	joins, joining := errgroup.WithContext(ctx)
	joins.SetLimit(joinsAtOnce)
	latencies := make([]float64, len(s.actors))
	begun := time.Now()
	for i, a := range s.actors {
		due := begun.Add(time.Duration(float64(i) / s.Rate * float64(time.Second)))
		if err := sleep(joining, time.Until(due)); err != nil {
			break // Some join has failed, and says more.
		}
		joins.Go(func() error {
			asked := time.Now()
			err := a.join(joining)
			latencies[i] = time.Since(asked).Seconds()
			return err
		})
	}
	if err := joins.Wait(); err != nil {
		return err
	}
	r.Joining = Joining{Seconds: time.Since(begun).Seconds(), Latency: summarize(latencies)}
	for patience := time.Now().Add(s.downTime + seenPatience); ; {
		unseen := s.eyes.look(s.names())
		if unseen == 0 {
			r.Joining.Seen = time.Since(begun).Seconds()
			return nil
		}
		if time.Now().After(patience) {
			return fmt.Errorf("%d of %d members are up, and no poll says so", unseen, s.Members)
		}
		if err := sleep(ctx, lookAgain); err != nil {
			return err
		}
	}
}

// lookAgain is how often it is looked whether everybody is up by now.
const lookAgain = 20 * time.Millisecond

// join lets the member live, and notes since when.
func (a *actor) join(ctx context.Context) error {
	if err := a.Join(ctx); err != nil {
		return err
	}
	a.life.spans = append(a.life.spans, span{from: time.Now()})
	return nil
}

// kill ends the member's life, and notes when.
func (a *actor) kill() time.Time { return a.ended(a.Kill()) }

// ended notes when the member's life ended.
func (a *actor) ended(at time.Time) time.Time {
	a.life.spans[len(a.life.spans)-1].until = at
	return at
}

// each does something with all actors, so many at a time, and gives what went wrong with whom, at most a few of them.
func each(actors []*actor, atOnce int, do func(*actor) error) error {
	const shown = 3
	var work errgroup.Group
	work.SetLimit(atOnce)
	var mu sync.Mutex
	var errs []error
	failed := 0
	for _, a := range actors {
		work.Go(func() error {
			if err := do(a); err != nil {
				mu.Lock()
				defer mu.Unlock()
				if failed++; failed <= shown {
					errs = append(errs, fmt.Errorf("member %s: %w", a.life.member, err))
				}
			}
			return nil
		})
	}
	_ = work.Wait() // Nothing gives an error.
	if failed > shown {
		errs = append(errs, fmt.Errorf("and %d others", failed-shown))
	}
	return errors.Join(errs...)
}

// sleep waits, unless ctx ends before.
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
