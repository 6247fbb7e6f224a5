// Package drill joins simulated members to a real backend, kills, cuts off and freezes some of them, and compares what this
// program sees with what happened: how long deaths took to be noticed, which live members were called dead, and what all
// that cost the backend.
//
// The members live in a place that no source reads, in a group of the drill's own, and nothing is left of them afterwards.
package drill

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/probe"
)

// groupPrefix begins the name of every drill's group.
const groupPrefix = "servicegroup-drill-"

const (
	joinsAtOnce  = 64
	leavesAtOnce = 32
	// seenPatience is how much longer than the down time it may take until everybody is seen up.
	seenPatience = 30 * time.Second
	// cleanPatience bounds the removal of what is left.
	cleanPatience = 2 * time.Minute
)

// A stage is a drill under way.
type stage struct {
	Options
	group  string
	actors []*actor

	networks  map[fate]*network // the members'
	joiners   map[fate]drivers.Joiner
	drivers   []drivers.Driver
	observing *network
	watching  drivers.Driver
	observer  *probe.Observer
	eyes      *eyes
	seeing    sync.WaitGroup

	failedJoins atomic.Int64 // of members that wanted to return

	downTime time.Duration
}

// An actor is one member, and what really happens to it.
type actor struct {
	*probe.Member
	life life
}

// Run makes a drill. It removes everything again, also when ctx ends before the drill does; then there is no report.
func Run(ctx context.Context, opts Options) (report *Report, err error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	s := &stage{
		Options: opts, group: groupPrefix + strings.ToLower(rand.Text()[:10]),
		networks: make(map[fate]*network), joiners: make(map[fate]drivers.Joiner), observing: &network{},
	}
	if s.Progress == nil {
		s.Progress = io.Discard
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.open(ctx); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.clean(ctx)) }()
	report, err = s.play(ctx)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("the drill was interrupted: %w", ctx.Err())
	}
	return report, err
}

// names are those of all members.
func (s *stage) names() []string {
	names := make([]string, s.Members)
	for i := range names {
		names[i] = fmt.Sprintf("drill-%05d", i+1)
	}
	return names
}

// open opens the drivers, makes sure that the group is nobody's, and makes the members.
func (s *stage) open(ctx context.Context) error {
	names := s.names()
	var err error
	if s.watching, err = s.Source.Open(s.group, names, s.observing.dial); err != nil {
		return err
	}
	watching, cancel := context.WithTimeout(ctx, s.Source.PollTimeout)
	defer cancel()
	there, err := s.Source.Members(watching, s.watching, s.group)
	if err != nil {
		return errors.Join(fmt.Errorf("reading source %s: %w", s.Source.Name, err), s.watching.Close())
	}
	if len(there) > 0 {
		return errors.Join(fmt.Errorf("the group %s has members already: it is none of this drill's", s.group), s.watching.Close())
	}
	if s.observer, err = probe.Observe(ctx, &s.Source, s.watching, 16*s.Members+1000); err != nil {
		return fmt.Errorf("reading source %s: %w", s.Source.Name, err)
	}
	s.downTime = s.observer.Snapshot().DownTime
	s.eyes = newEyes(s.observer, s.group)
	s.seeing.Go(s.eyes.watch)
	for i, f := range s.fates() {
		joiner, err := s.joiner(f, names)
		if err != nil {
			return err
		}
		s.actors = append(s.actors, &actor{
			Member: probe.NewMember(joiner, s.group, names[i]), life: life{member: names[i], fate: f},
		})
	}
	return nil
}

// joiner gives the driver that members of a fate join through: one for those whose network is never cut, and one with a
// network of its own for each of the others.
func (s *stage) joiner(f fate, names []string) (drivers.Joiner, error) {
	if f != fateCut && f != fateFreeze {
		f = fateLive
	}
	if joiner := s.joiners[f]; joiner != nil {
		return joiner, nil
	}
	n := &network{}
	driver, joiner, err := s.Source.OpenJoiner(s.group, names, n.dial)
	if err != nil {
		return nil, err
	}
	s.networks[f], s.joiners[f], s.drivers = n, joiner, append(s.drivers, driver)
	return joiner, nil
}

// close closes everything that open opened.
func (s *stage) close() error {
	var errs []error
	for _, d := range s.drivers {
		errs = append(errs, d.Close())
	}
	if s.observer != nil {
		errs = append(errs, s.observer.Close())
		s.seeing.Wait()
	}
	return errors.Join(errs...)
}

// clean removes all members, dead or alive, and what is left of the group.
func (s *stage) clean(ctx context.Context) error {
	s.say("removing everything")
	for _, n := range s.networks {
		n.heal()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanPatience)
	defer cancel()
	err := each(s.actors, leavesAtOnce, func(a *actor) error { return a.Leave(ctx) })
	if remover, ok := s.watching.(drivers.Remover); ok && err == nil {
		err = remover.RemoveGroup(ctx, s.group)
	}
	if err != nil {
		return fmt.Errorf("removing members of the group %s, of which some are left: %w", s.group, err)
	}
	return nil
}

func (s *stage) say(format string, args ...any) {
	fmt.Fprintf(s.Progress, format+"\n", args...)
}
