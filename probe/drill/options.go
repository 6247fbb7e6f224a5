package drill

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"servicegroup_exporter/probe"
)

// The bounds of a drill: what a mistyped number may cost a backend.
const (
	MaxMembers  = 10_000
	MaxRate     = 1000 // joins a second
	MaxDuration = time.Hour
)

// Options say what a drill does to how many members of which source.
type Options struct {
	Source probe.Source
	Logger *slog.Logger
	// Progress is where it is said what is being done; nil: nowhere.
	Progress io.Writer

	// Members is how many there are, and Rate how many of them join in a second.
	Members int
	Rate    float64

	// The shares of the members, from 0 to 1, to whom something happens. All others live undisturbed.
	Kill   float64 // die as by kill -9, are waited for until they are seen dead, and return
	Cut    float64 // lose the network, all at once and without a word, until they are seen dead
	Freeze float64 // lose the network for a quarter of the down time, so that nobody should notice
	Flap   float64 // die and return without anybody waiting, for up to one and a half down times each

	// Steady is how long nothing happens, to measure what members cost that live.
	Steady time.Duration
	// Duration is how long things happen after that; zero: four down times and ten seconds.
	Duration time.Duration
}

// Validate returns every mistake, joined.
func (o *Options) Validate() error {
	var errs []error
	add := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if o.Members < 1 || o.Members > MaxMembers {
		add("the number of members must be from 1 to %d, not %d", MaxMembers, o.Members)
	}
	if !(o.Rate > 0 && o.Rate <= MaxRate) {
		add("the rate must be more than 0 and at most %d joins a second, not %v", MaxRate, o.Rate)
	}
	sum := 0.0
	for _, s := range []struct {
		name  string
		share float64
	}{{"kill", o.Kill}, {"cut", o.Cut}, {"freeze", o.Freeze}, {"flap", o.Flap}} {
		if !(s.share >= 0 && s.share <= 1) {
			add("the share of members to %s must be from 0 to 1, not %v", s.name, s.share)
		}
		sum += s.share
	}
	if sum > 1+1e-9 {
		add("the shares of members to kill, cut, freeze and flap are %v together, more than 1", sum)
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{{"steady", o.Steady}, {"duration", o.Duration}} {
		if d.value < 0 || d.value > MaxDuration {
			add("the %s time must be from 0 to %v, not %v", d.name, MaxDuration, d.value)
		}
	}
	if o.Source.PollInterval <= 0 {
		add("a drill needs a poll interval: nobody scrapes it")
	}
	return errors.Join(errs...)
}

// A fate is what happens to a member.
type fate string

// The fates.
const (
	fateLive   fate = "live"
	fateKill   fate = "kill"
	fateCut    fate = "cut"
	fateFreeze fate = "freeze"
	fateFlap   fate = "flap"
)

// fates gives every member its fate, in order of the members' numbers, so that each fate is met all over the group. A
// share above zero has at least one member, as long as there are enough.
func (o *Options) fates() []fate {
	all := make([]fate, o.Members)
	for i := range all {
		all[i] = fateLive
	}
	next := 0
	for _, s := range []struct {
		fate  fate
		share float64
	}{{fateKill, o.Kill}, {fateCut, o.Cut}, {fateFreeze, o.Freeze}, {fateFlap, o.Flap}} {
		n := int(s.share*float64(o.Members) + 0.5)
		if s.share > 0 {
			n = max(n, 1)
		}
		for range n {
			if next == len(all) {
				break
			}
			all[spread(next, len(all))] = s.fate
			next++
		}
	}
	return all
}

// spread gives the numbers below n in an order in which neighbours are far apart.
func spread(i, n int) int {
	step := max(int(float64(n)*0.618), 1)
	for gcd(step, n) != 1 {
		step++
	}
	return i * step % n
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
