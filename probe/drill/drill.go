// Package drill measures failure detection on a real backend. It joins simulated members, kills some of them, cuts off the
// network of others, and compares what this program's polls saw with what happened: how long it took to detect deaths, how
// often a live member was reported dead, and what this cost the backend.
//
// The members live where no source reads, in a group that only this drill uses. The drill removes them when it ends.
package drill

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/probe"
)

// groupPrefix begins the name of the group of every drill.
const groupPrefix = "servicegroup-drill-"

const (
	concurrentJoins  = 64
	concurrentLeaves = 32
	// joinMargin is how much longer than the poll timeout a join may take.
	joinMargin = 5 * time.Second
	// seenUpTimeout is how much longer than the heartbeat timeout it may take until polls see all members up.
	seenUpTimeout = 30 * time.Second
	// cleanUpTimeout bounds the removal of the members.
	cleanUpTimeout = 2 * time.Minute
)

// A run is one drill in progress.
type run struct {
	Options
	group   string
	members []*member

	networks map[scenario]*network // of the members
	joiners  map[scenario]drivers.Joiner
	drivers  []drivers.Driver // that the members join through

	reader      drivers.Driver // that polls read through
	readNetwork *network
	polls       *probe.Observer
	observer    *observer
	observing   sync.WaitGroup

	failedJoins atomic.Int64 // of members that tried to return
	deaths      atomic.Int64
	downTime    time.Duration
	phase       atomic.Pointer[phase]
}

// A member is a simulated member with the history of what really happened to it.
type member struct {
	*probe.Member
	history history
}

// Run performs a drill. It removes all members at the end. If ctx ends or the drill fails when members have joined, Run returns an
// error and what was measured so far.
func Run(ctx context.Context, opts Options) (report *Report, err error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	r := &run{
		Options: opts, group: groupPrefix + strings.ToLower(rand.Text()[:10]),
		networks: make(map[scenario]*network), joiners: make(map[scenario]drivers.Joiner), readNetwork: &network{},
	}
	defer r.showProgress()()
	defer func() { err = errors.Join(err, r.close()) }()
	if err := r.open(ctx); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.cleanUp(ctx)) }()
	report, err = r.perform(ctx)
	if ctx.Err() != nil {
		err = fmt.Errorf("the drill was interrupted: %w", ctx.Err())
	}
	if err != nil && report != nil {
		report.EndedEarly = err.Error()
	}
	return report, err
}

// names returns the names of all members.
func (r *run) names() []string {
	names := make([]string, r.Members)
	for i := range names {
		names[i] = fmt.Sprintf("drill-%05d", i+1)
	}
	return names
}

// open opens the drivers, checks that the group has no members, starts polling, and makes the members.
func (r *run) open(ctx context.Context) error {
	names := r.names()
	r.begin(nil, "reading source %s, for at most %v", r.Source.Name, r.Source.PollTimeout)
	var err error
	if r.reader, err = r.Source.Open(r.group, names, r.readNetwork.dial); err != nil {
		return err
	}
	reading, cancel := context.WithTimeout(ctx, r.Source.PollTimeout)
	defer cancel()
	present, err := r.Source.Members(reading, r.reader, r.group)
	if err != nil {
		return errors.Join(fmt.Errorf("reading source %s: %w", r.Source.Name, err), r.reader.Close())
	}
	if len(present) > 0 {
		return errors.Join(fmt.Errorf("group %s already has members, which this drill did not join", r.group), r.reader.Close())
	}
	if r.polls, err = probe.Observe(ctx, &r.Source, r.reader, 16*r.Members+1000); err != nil {
		return fmt.Errorf("reading source %s: %w", r.Source.Name, err)
	}
	r.downTime = r.polls.Snapshot().DownTime
	r.observer = newObserver(r.polls, r.group)
	r.observing.Go(r.observer.watch)
	for i, s := range r.scenarios() {
		joiner, err := r.joiner(s, names)
		if err != nil {
			return err
		}
		r.members = append(r.members, &member{
			Member: probe.NewMember(joiner, r.group, names[i]), history: history{member: names[i], scenario: s},
		})
	}
	return nil
}

// joiner returns the driver that the members of a scenario join through. The scenarios that cut the network have a driver
// and a network each; all other members share one.
func (r *run) joiner(s scenario, names []string) (drivers.Joiner, error) {
	if s != scenarioPartition && s != scenarioPause {
		s = scenarioLive
	}
	if joiner := r.joiners[s]; joiner != nil {
		return joiner, nil
	}
	n := &network{}
	driver, joiner, err := r.Source.OpenJoiner(r.group, names, n.dial)
	if err != nil {
		return nil, err
	}
	r.networks[s], r.joiners[s], r.drivers = n, joiner, append(r.drivers, driver)
	return joiner, nil
}

// close closes everything that open opened.
func (r *run) close() error {
	var errs []error
	for _, d := range r.drivers {
		errs = append(errs, d.Close())
	}
	if r.polls != nil {
		errs = append(errs, r.polls.Close())
		r.observing.Wait()
	}
	return errors.Join(errs...)
}

// cleanUp removes all members, dead or alive, and what the backend keeps of the group.
func (r *run) cleanUp(ctx context.Context) error {
	var removed atomic.Int64
	r.begin(func() string { return fmt.Sprintf("removed %d of %d members", removed.Load(), r.Members) },
		"removing all members, for at most %v", cleanUpTimeout)
	for _, n := range r.networks {
		n.heal()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTimeout)
	defer cancel()
	err := forEach(r.members, concurrentLeaves, func(m *member) error {
		defer removed.Add(1)
		return m.Leave(ctx)
	})
	if remover, ok := r.reader.(drivers.Remover); ok && err == nil {
		err = remover.RemoveGroup(ctx, r.group)
	}
	if err != nil {
		return fmt.Errorf("removing the members of group %s, some of which remain: %w", r.group, err)
	}
	return nil
}
