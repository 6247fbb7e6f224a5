package drill

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"servicegroup_exporter/probe"
)

// The bounds of a drill limit the load that a mistyped number can put on a backend.
const (
	MaxMembers  = 10_000
	MaxRate     = 1000 // joins per second
	MaxDuration = time.Hour
)

// Options configure a drill.
type Options struct {
	Source probe.Source
	Logger *slog.Logger
	// Progress is told what the drill does. nil: nothing is.
	Progress Progress

	// Members is the number of members. Rate is how many of them join per second.
	Members int
	Rate    float64

	// The shares of the members, from 0 to 1, that take part in each scenario. The other members live undisturbed.
	Kill      float64 // die as by kill -9, and return after their death is detected
	Partition float64 // lose the network, all at once and without a closed connection, until their death is detected
	Pause     float64 // lose the network for a quarter of the heartbeat timeout, which must not be detected as a death
	Flap      float64 // die and return without waiting for detection, up to 1.5 heartbeat timeouts each

	// Baseline is how long to measure the cost of live members before the scenarios. 0 skips the measurement.
	Baseline time.Duration
	// Duration is how long the scenarios run. 0 means 4 heartbeat timeouts and 10 seconds.
	Duration time.Duration
}

// A Progress shows what a drill does. Its methods may be called concurrently.
type Progress interface {
	// Step is called when a phase begins.
	Step(text string)
	// Status is called each second with what the phase has done.
	Status(text string)
}

// Validate returns all mistakes in the options, joined.
func (o *Options) Validate() error {
	var errs []error
	add := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if o.Members < 1 || o.Members > MaxMembers {
		add("--members is %d, must be from 1 to %d", o.Members, MaxMembers)
	}
	if !(o.Rate > 0 && o.Rate <= MaxRate) {
		add("--rate is %v, must be more than 0 and at most %d joins per second", o.Rate, MaxRate)
	}
	sum := 0.0
	for _, s := range o.shares() {
		if !(s.share >= 0 && s.share <= 1) {
			add("--%s is %v, must be from 0 to 1", s.scenario, s.share)
		}
		sum += s.share
	}
	if sum > 1+1e-9 {
		add("the sum of --kill, --partition, --pause and --flap is %.4g, must be at most 1", sum)
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{{"baseline", o.Baseline}, {"duration", o.Duration}} {
		if d.value < 0 || d.value > MaxDuration {
			add("--%s is %v, must be from 0s to %v", d.name, d.value, MaxDuration)
		}
	}
	if o.Source.PollInterval <= 0 {
		add("a drill needs a poll interval, because no scrape polls its members")
	}
	return errors.Join(errs...)
}

// A scenario is what happens to a member during a drill.
type scenario string

// The scenarios.
const (
	scenarioLive      scenario = "live"
	scenarioKill      scenario = "kill"
	scenarioPartition scenario = "partition"
	scenarioPause     scenario = "pause"
	scenarioFlap      scenario = "flap"
)

// A share is the part of the members that take part in a scenario.
type share struct {
	scenario scenario
	share    float64
}

func (o *Options) shares() []share {
	return []share{
		{scenarioKill, o.Kill}, {scenarioPartition, o.Partition}, {scenarioPause, o.Pause}, {scenarioFlap, o.Flap},
	}
}

// scenarios returns the scenario of every member, in the order of the members' numbers. The members of a scenario are spread
// over the whole group. A scenario with a share above zero has at least one member, as long as there are enough members.
func (o *Options) scenarios() []scenario {
	all := make([]scenario, o.Members)
	for i := range all {
		all[i] = scenarioLive
	}
	next := 0
	for _, s := range o.shares() {
		n := int(s.share*float64(o.Members) + 0.5)
		if s.share > 0 {
			n = max(n, 1)
		}
		for range n {
			if next == len(all) {
				break
			}
			all[spread(next, len(all))] = s.scenario
			next++
		}
	}
	return all
}

// spread maps i to a number below n so that neighbours are far apart. It maps no two numbers below n to the same one.
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
