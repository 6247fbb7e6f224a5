package drill

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"
)

// act lets every member meet its fate, again and again, until the end.
func (s *stage) act(ctx context.Context, end time.Time) error {
	acts, ctx := errgroup.WithContext(ctx)
	byFate := map[fate][]*actor{}
	for _, a := range s.actors {
		f := a.life.fate
		byFate[f] = append(byFate[f], a)
		switch f {
		case fateKill:
			acts.Go(func() error { return s.killAndReturn(ctx, a, end) })
		case fateFlap:
			acts.Go(func() error { return s.flap(ctx, a, end) })
		default: // They share a network.
		}
	}
	if cut := byFate[fateCut]; len(cut) > 0 {
		acts.Go(func() error { return s.cutOff(ctx, cut, end) })
	}
	if len(byFate[fateFreeze]) > 0 {
		acts.Go(func() error { return s.freeze(ctx, end) })
	}
	acts.Go(func() error { return sleep(ctx, time.Until(end)) })
	if err := acts.Wait(); err != nil {
		return fmt.Errorf("letting things happen: %w", err)
	}
	return nil
}

// notice is how long a death may take to be noticed by the rules, with what a busy machine adds.
func (s *stage) notice() time.Duration {
	return s.downTime + s.Source.PollInterval + s.downTime/4 + time.Second
}

// room says whether there is time left for a death that is noticed.
func (s *stage) room(end time.Time) bool { return time.Until(end) > s.notice() }

// killAndReturn kills the member at any moment, lets it return when it was seen dead, or should have been, and begins anew.
func (s *stage) killAndReturn(ctx context.Context, a *actor, end time.Time) error {
	// The first deaths are spread over all of the time that leaves room for them.
	pause := rand.N(max(time.Until(end)-s.notice(), 1))
	for {
		if err := sleep(ctx, pause); err != nil || !s.room(end) {
			return err
		}
		died := a.kill()
		s.eyes.wait(ctx, a.life.member, false, died, 2*s.notice())
		if err := sleep(ctx, rand.N(s.downTime/4+1)); err != nil {
			return err
		}
		if err := s.comeBack(ctx, a, end); err != nil || !a.Alive() {
			return err
		}
		s.eyes.wait(ctx, a.life.member, true, died, s.notice())
		pause = rand.N(s.downTime/2 + 1)
	}
}

// flap lets the member die and return, whoever notices.
func (s *stage) flap(ctx context.Context, a *actor, end time.Time) error {
	for {
		if err := sleep(ctx, rand.N(s.downTime*3/2)); err != nil || time.Now().After(end) {
			return err
		}
		a.kill()
		if err := sleep(ctx, rand.N(s.downTime*3/2)); err != nil {
			return err
		}
		if err := s.comeBack(ctx, a, end); err != nil || !a.Alive() {
			return err
		}
	}
}

// comeBack lets a dead member return. As a real one would, it tries until it succeeds; the end of the drill ends that too.
func (s *stage) comeBack(ctx context.Context, a *actor, end time.Time) error {
	const pause = 200 * time.Millisecond
	for {
		err := a.join(ctx)
		if err == nil || ctx.Err() != nil || time.Now().After(end) {
			return ctx.Err()
		}
		s.failedJoins.Add(1)
		s.Logger.Warn("A member could not return", "member", a.life.member, "err", err)
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// cutOff cuts the network of members until all of them were seen dead, or should have been, and begins anew.
func (s *stage) cutOff(ctx context.Context, cut []*actor, end time.Time) error {
	n := s.networks[fateCut]
	defer n.heal()
	for {
		if err := sleep(ctx, rand.N(s.downTime/2+1)); err != nil || !s.room(end) {
			return err
		}
		n.cut()
		at := time.Now()
		for _, a := range cut {
			a.ended(at)
		}
		patience := at.Add(2 * s.notice())
		for _, a := range cut {
			s.eyes.wait(ctx, a.life.member, false, at, time.Until(patience))
		}
		n.heal()
		healed := time.Now()
		for _, a := range cut {
			a.life.spans = append(a.life.spans, span{from: healed})
		}
		// Everybody comes back by himself.
		patience = healed.Add(2 * s.notice())
		for _, a := range cut {
			s.eyes.wait(ctx, a.life.member, true, at, time.Until(patience))
		}
	}
}

// freeze cuts the network of members now and then, for so short that nobody should notice.
func (s *stage) freeze(ctx context.Context, end time.Time) error {
	n := s.networks[fateFreeze]
	defer n.heal()
	for {
		if err := sleep(ctx, s.downTime+rand.N(s.downTime/2+1)); err != nil || time.Now().After(end) {
			return err
		}
		n.cut()
		err := sleep(ctx, s.downTime/4)
		n.heal()
		if err != nil {
			return err
		}
	}
}
