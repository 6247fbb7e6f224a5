package main

import (
	"fmt"
	"time"

	"servicegroup_exporter/internal/testserver"
)

// A fault breaks something. It must not cause notifications about members, because no member dies or recovers.
type fault struct {
	name   string
	inject func(env *environment)
}

// faultDuration is how long faults last. It is longer than the heartbeat timeout, and longer than keep_firing_for.
const faultDuration = 3 * heartbeatTimeout

func allFaults() []fault {
	hour := time.Hour
	return []fault{
		{"backend stopped for 12 s", func(env *environment) { env.backend.Stop(); time.Sleep(faultDuration); env.backend.Start() }},
		{"backend frozen for 12 s", func(env *environment) { env.backend.Freeze(); time.Sleep(faultDuration); env.backend.Thaw() }},
		{"backend killed and started", func(env *environment) { env.backend.Kill(); env.backend.Start() }},
		{"Alertmanager restarted", func(env *environment) { env.alertmanager.Stop(); env.alertmanager.Start() }},
		{"Alertmanager frozen for 12 s", func(env *environment) { env.alertmanager.Freeze(); time.Sleep(faultDuration); env.alertmanager.Thaw() }},
		{"exporter restarted", func(env *environment) { env.exporter.Stop(); env.exporter.Start() }},
		{"exporter killed, started 12 s later", func(env *environment) { env.exporter.Kill(); time.Sleep(faultDuration); env.exporter.Start() }},
		{"exporter restarted while the backend is down", func(env *environment) {
			env.backend.Stop()
			env.exporter.Kill()
			env.exporter.Start()
			time.Sleep(faultDuration)
			env.backend.Start()
		}},
		{"Prometheus restarted", func(env *environment) { env.prometheus.Stop(); env.prometheus.Start() }},
		{"Alertmanager clock an hour ahead", func(env *environment) { env.fromBridge.setOffset(hour); time.Sleep(faultDuration) }},
		{"Alertmanager clock an hour behind", func(env *environment) {
			env.fromBridge.setOffset(-hour)
			time.Sleep(faultDuration)
			env.fromBridge.setOffset(0)
		}},
	}
}

// An outcome is the result of a fault.
type outcome struct {
	fault                  string
	firing, resolved, lost int
	// next is the next death after the fault, which must be notified as usual.
	next death
}

// deadBefore is the number of members that are dead, and reported dead, before the faults.
const deadBefore = 3

// runFaults runs the faults one after the other, while some members are dead and all others alive.
func runFaults(b *testserver.Bench, s settings, faults []fault) []outcome {
	var outcomes []outcome
	b.Section(func() {
		env := newEnvironment(b, s)
		env.joinLiveMembers(liveMembers)
		victims := env.startVictims(deadBefore + len(faults)) // A single victim for all faults would flap.
		for _, v := range victims[:deadBefore] {
			env.waitFor(v.name, "firing", v.kill())
		}
		for i, f := range faults {
			fmt.Fprintln(b.Out, f.name)
			began := time.Now()
			f.inject(env)
			env.settle()
			o := outcome{fault: f.name, lost: deadBefore - env.active(victims[:deadBefore])}
			o.firing, o.resolved = env.countAll(began)
			o.next = victims[deadBefore+i].dieAndReturn()
			outcomes = append(outcomes, o)
		}
	})
	return outcomes
}

// settle waits until sources have been read again, rules evaluated, and alerts sent and notified.
func (env *environment) settle() {
	time.Sleep(2*heartbeatTimeout + 2*env.keepFiring + 2*env.groupInterval)
}

// active counts the members with an active alert in Alertmanager.
func (env *environment) active(victims []*victim) int {
	n := 0
	alerts := env.alertmanager.Alerts()
	for _, v := range victims {
		for _, a := range alerts {
			if a.Labels["alertname"] == "ServiceGroupMemberDown" && a.Labels["member"] == v.name {
				n++
				break
			}
		}
	}
	return n
}

// countAll counts the notifications about members and groups after a time. Notifications about an unreadable source or an
// exporter that is down are right, and not counted.
func (env *environment) countAll(after time.Time) (firing, resolved int) {
	for _, n := range env.hooks.All() {
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
