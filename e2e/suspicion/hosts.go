package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"servicegroup_exporter/collector/hosts"
	"servicegroup_exporter/collector/tracker"
)

// The made agents, which run beside each compute, as Neutron's do.
const (
	agent         = "agent"
	agentInterval = 30 * time.Second
	agentTimeout  = 75 * time.Second
)

// withAgents returns the recording with an agent on the host of each compute, which reports every 30 s. It dies and is started with the
// compute when that is killed for long, and not when the compute alone is restarted. A RabbitMQ that is frozen delays its reports.
func (tr *trace) withAgents(random *rand.Rand) *trace {
	paired := *tr
	paired.members, paired.reports = slices.Clone(tr.members), slices.Clone(tr.reports)
	stalls, deaths := tr.stalls()[:2], tr.deaths() // the stalls of RabbitMQ
	for i, m := range tr.members {
		if m.binary != "nova-compute" {
			continue
		}
		id := len(paired.members)
		paired.members = append(paired.members, member{m.host, agent, agentInterval})
		count := uint64(0)
		for at := tr.reports[0].at + between(random, 0, agentInterval); at < tr.end; at += agentInterval {
			for _, k := range deaths {
				if k.member == i && at > k.at && at < k.until {
					at = k.until
				}
			}
			for _, s := range stalls {
				if s.during.contains(at) {
					at = s.during.to
				}
			}
			count++
			paired.reports = append(paired.reports, report{at, id, row{count, at.Truncate(time.Second)}})
		}
	}
	paired.sortReports()
	return &paired
}

// A hostWatch suspects hosts, by two sources. The members of the first source stand for the hosts.
type hostWatch struct {
	sources  [2]*program
	services []member // of the first source; the others are of the second
}

func newHostWatch(members []member) *hostWatch {
	n := slices.IndexFunc(members, func(m member) bool { return m.binary == agent })
	return &hostWatch{
		sources:  [2]*program{newProgram(members[:n], downTime), newProgram(members[n:], agentTimeout)},
		services: members[:n],
	}
}

func (h *hostWatch) observe(p *poll, suspected []bool) time.Duration {
	rows := [2][]row{}
	if !p.failed {
		rows = [2][]row{p.rows[:len(h.services)], p.rows[len(h.services):]}
	}
	var next time.Duration
	want := func(at time.Duration) {
		if at > p.at && (next == 0 || at < next) {
			next = at
		}
	}
	var members [][]hosts.Member
	for i, source := range h.sources {
		want(source.observe(&poll{at: p.at, failed: p.failed, rows: rows[i]}, make([]bool, len(rows[i]))))
		members = append(members, source.onHosts())
	}
	down, undecided := map[string]bool{}, map[string]bool{}
	for _, s := range hosts.States(members) {
		down[s.Name], undecided[s.Name] = s.IsDown(), !s.IsDown() && s.Down+s.Suspected > 0
	}
	for _, source := range h.sources {
		want(source.nextLate(undecided))
	}
	for i, m := range h.services {
		suspected[i] = down[m.host]
	}
	return next
}

// nextLate returns when the next member on some hosts is late, zero if none will be.
func (d *program) nextLate(of map[string]bool) (next time.Duration) {
	for _, m := range d.Members() {
		if !of[m.Name] {
			continue
		}
		if at, ok := d.LateAt(m); ok && (next == 0 || at.Mono-time.Hour < next) {
			next = at.Mono - time.Hour
		}
	}
	return next
}

// onHosts returns what the members say about their hosts.
func (d *program) onHosts() []hosts.Member {
	var all []hosts.Member
	for _, m := range d.Members() {
		_, isSuspected := m.Suspected()
		all = append(all, hosts.Member{
			Host: m.Name, Group: m.Group, Service: m.Group, InService: true, Down: m.State() == tracker.Down, Suspected: isSuspected, Late: m.Late(),
		})
	}
	return all
}

// hostContender returns the detector of hosts.
func hostContender() contender {
	return contender{"this program, hosts", "", func(members []member) detector { return newHostWatch(members) }}
}

// printHosts writes how soon and how rightly hosts are known to be down.
func printHosts(out io.Writer, tr *trace, p plan) {
	e := newEvaluation(tr.withAgents(rand.New(rand.NewPCG(seed, 2))), agentLead, p.kills)
	fmt.Fprintln(out, "| polls every | recorded kills | kills put in | mistakes |")
	fmt.Fprintln(out, "| --- | ---: | ---: | ---: |")
	n, phases := 0, 0
	for _, t := range p.tables {
		s := e.score(hostContender(), schedules(t.interval, t.phases, true))
		fmt.Fprintf(out, "| %s | %s | %s | %.1f |\n", t.interval, seconds(s.recorded), seconds(s.putIn), s.mistakes+s.withNova)
		n, phases = n+len(s.recorded), phases+t.phases
	}
	fmt.Fprintf(out, "\nn = %d recorded kills, in %d phases of the polls, and %d kills put in at each poll interval. Seconds: median / "+
		"95th percentile / maximum.\n\n", n, phases, p.kills)
}
