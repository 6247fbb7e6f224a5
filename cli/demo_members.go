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

// demoMembers are simulated members. Each behaves like a process of its own.
type demoMembers []*probe.Member

func newDemoMembers(joiner drivers.Joiner) demoMembers {
	var all demoMembers
	for _, group := range demoGroups {
		for i := range group.size {
			all = append(all, probe.NewMember(joiner, group.name, fmt.Sprintf("%s-%02d", group.name, i+1)))
		}
	}
	return all
}

// joinAll lets all members join.
func (all demoMembers) joinAll(ctx context.Context) error {
	for _, m := range all {
		if err := m.Join(ctx); err != nil {
			return err
		}
	}
	return nil
}

// change lets a random member die as by kill -9, or return if it is dead.
func (all demoMembers) change(ctx context.Context) error {
	m := all.pick()
	if !m.Alive() {
		return m.Join(ctx)
	}
	m.Kill()
	return nil
}

// pick returns the member to change. The dead members together are as likely as the live ones, so that each returns soon.
func (all demoMembers) pick() *probe.Member {
	var live, dead []*probe.Member
	for _, m := range all {
		if m.Alive() {
			live = append(live, m)
		} else {
			dead = append(dead, m)
		}
	}
	if len(dead) == maxDead || (len(dead) > 0 && rand.IntN(2) == 0) {
		return dead[rand.IntN(len(dead))]
	}
	return live[rand.IntN(len(live))]
}
