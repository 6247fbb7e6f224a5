package main

import (
	"fmt"
	"time"

	"servicegroup_exporter/internal/testserver"
)

// A fault is something that breaks, of which nobody is to be told as long as the dead stay dead and the living alive.
type fault struct {
	name  string
	occur func(l *lab)
}

// away is how long parts are away: longer than members may be silent, and than alerts go on after a recovery.
const away = 3 * sessionTimeout

func allFaults() []fault {
	hour := time.Hour
	return []fault{
		{"backend stopped for 12 s", func(l *lab) { l.backend.Stop(); time.Sleep(away); l.backend.Start() }},
		{"backend frozen for 12 s", func(l *lab) { l.backend.Freeze(); time.Sleep(away); l.backend.Thaw() }},
		{"backend killed and started", func(l *lab) { l.backend.Kill(); l.backend.Start() }},
		{"Alertmanager restarted", func(l *lab) { l.alertmanager.Stop(); l.alertmanager.Start() }},
		{"Alertmanager frozen for 12 s", func(l *lab) { l.alertmanager.Freeze(); time.Sleep(away); l.alertmanager.Thaw() }},
		{"exporter restarted", func(l *lab) { l.exporter.Stop(); l.exporter.Start() }},
		{"exporter killed, away for 12 s", func(l *lab) { l.exporter.Kill(); time.Sleep(away); l.exporter.Start() }},
		{"exporter restarted while the backend is away", func(l *lab) {
			l.backend.Stop()
			l.exporter.Kill()
			l.exporter.Start()
			time.Sleep(away)
			l.backend.Start()
		}},
		{"Prometheus restarted", func(l *lab) { l.prometheus.Stop(); l.prometheus.Start() }},
		{"Alertmanager's clock an hour ahead", func(l *lab) { l.fromBridge.setOffset(hour); time.Sleep(away) }},
		{"and an hour behind", func(l *lab) { l.fromBridge.setOffset(-hour); time.Sleep(away); l.fromBridge.setOffset(0) }},
	}
}

// An outcome is what came of a fault.
type outcome struct {
	fault                  string
	firing, resolved, lost int
	// The next death is noticed as ever, and how many notifications come of it.
	after death
}

// deadBefore is how many members are dead, and known to be, while things break.
const deadBefore = 3

// breakThings lets every fault occur, one after the other, while some members are dead and all others alive.
func breakThings(b *testserver.Bench, s settings, faults []fault) []outcome {
	var outcomes []outcome
	b.Section(func() {
		l := newLab(b, s)
		l.fill(fillers)
		victims := l.victims(deadBefore + len(faults)) // One that dies after each fault would flap.
		for _, v := range victims[:deadBefore] {
			l.waitFor(v.name, "firing", v.kill())
		}
		for i, f := range faults {
			fmt.Fprintln(b.Out, f.name)
			began := time.Now()
			f.occur(l)
			l.settle()
			o := outcome{fault: f.name, lost: deadBefore - l.active(victims[:deadBefore])}
			o.firing, o.resolved = l.countAll(began)
			o.after = victims[deadBefore+i].die()
			outcomes = append(outcomes, o)
		}
	})
	return outcomes
}

// settle gives whatever may come the time to: for sources to be read again, rules to be evaluated, alerts to be posted and
// flushed.
func (l *lab) settle() {
	time.Sleep(2*sessionTimeout + 2*l.keepFiring + 2*l.groupInterval)
}

// active counts the members whose death Alertmanager holds.
func (l *lab) active(victims []*victim) int {
	n := 0
	held := l.alertmanager.Alerts()
	for _, v := range victims {
		for _, a := range held {
			if a.Labels["alertname"] == "ServiceGroupMemberDown" && a.Labels["member"] == v.name {
				n++
				break
			}
		}
	}
	return n
}

// countAll counts the notifications about members and groups since a moment. That a source can't be read, or an exporter
// not be scraped, is worth a page.
func (l *lab) countAll(after time.Time) (firing, resolved int) {
	for _, n := range l.hooks.All() {
		for _, a := range n.Alerts {
			switch {
			case !n.Time.After(after) || a.Labels["scope"] != "member" && a.Labels["scope"] != "group":
			case a.Status == "firing":
				firing++
			default:
				resolved++
			}
		}
	}
	return firing, resolved
}
