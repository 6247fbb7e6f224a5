package cli

import (
	"context"
	"fmt"
	"math/rand/v2"

	"servicegroup_exporter/drivers"
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
type population struct {
	joiner  drivers.Joiner
	members []*simulated
}

// simulated is one member; its membership is nil while it is dead.
type simulated struct {
	request    drivers.JoinRequest
	membership drivers.Membership
}

func newPopulation(joiner drivers.Joiner) *population {
	p := &population{joiner: joiner}
	for _, group := range demoGroups {
		for i := range group.size {
			request := drivers.JoinRequest{Group: group.name, Name: fmt.Sprintf("%s-%02d", group.name, i+1)}
			p.members = append(p.members, &simulated{request: request})
		}
	}
	return p
}

// joinAll makes everybody live.
func (p *population) joinAll(ctx context.Context) error {
	for _, m := range p.members {
		if err := p.join(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

func (p *population) join(ctx context.Context, m *simulated) error {
	membership, err := p.joiner.Join(ctx, m.request)
	if err != nil {
		return fmt.Errorf("joining a simulated member: %w", err)
	}
	m.membership = membership
	return nil
}

// disturb lets a random member die as by kill -9, or return if it is dead.
func (p *population) disturb(ctx context.Context) error {
	m := p.pick()
	if m.membership == nil {
		return p.join(ctx, m)
	}
	m.membership.Abandon()
	m.membership = nil
	return nil
}

// pick chooses who is next: the dead are as likely as the living, so that nobody waits long.
func (p *population) pick() *simulated {
	var living, dead []*simulated
	for _, m := range p.members {
		if m.membership == nil {
			dead = append(dead, m)
		} else {
			living = append(living, m)
		}
	}
	if len(dead) == maxDead || (len(dead) > 0 && rand.IntN(2) == 0) {
		return dead[rand.IntN(len(dead))]
	}
	return living[rand.IntN(len(living))]
}
