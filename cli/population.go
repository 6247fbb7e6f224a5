package cli

import (
	"context"
	"fmt"
	"math/rand/v2"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/probe"
)

// demoGroups are the groups of the demonstration and their sizes.
//
//nolint:gochecknoglobals // A constant in all but name.
var demoGroups = []struct {
	name string
	size int
}{{"compute", 12}, {"network", 5}, {"storage", 3}}

// maxDead is how many simulated members may be dead at once.
const maxDead = 4

// A population is a set of simulated members, each as good as a process of its own.
type population []*probe.Member

func newPopulation(joiner drivers.Joiner) population {
	var p population
	for _, group := range demoGroups {
		for i := range group.size {
			p = append(p, probe.NewMember(joiner, group.name, fmt.Sprintf("%s-%02d", group.name, i+1)))
		}
	}
	return p
}

// joinAll makes everybody live.
func (p population) joinAll(ctx context.Context) error {
	for _, m := range p {
		if err := m.Join(ctx); err != nil {
			return err
		}
	}
	return nil
}

// disturb lets a random member die as by kill -9, or return if it is dead.
func (p population) disturb(ctx context.Context) error {
	m := p.pick()
	if !m.Alive() {
		return m.Join(ctx)
	}
	m.Kill()
	return nil
}

// pick chooses who is next: the dead are as likely as the living, so that nobody waits long.
func (p population) pick() *probe.Member {
	var living, dead []*probe.Member
	for _, m := range p {
		if m.Alive() {
			living = append(living, m)
		} else {
			dead = append(dead, m)
		}
	}
	if len(dead) == maxDead || (len(dead) > 0 && rand.IntN(2) == 0) {
		return dead[rand.IntN(len(dead))]
	}
	return living[rand.IntN(len(living))]
}
