package main

import (
	"math/rand/v2"
	"sync"
	"time"

	"servicegroup_exporter/internal/testserver"
)

const (
	// fillers are the members that stay alive.
	fillers = 80
	// victimCount is how many members die in turns: fewer than a quarter of all, at once.
	victimCount = 10
)

// A result is what came of the deaths on one path.
type result struct {
	settings settings
	deaths   []death
}

// A death is one, and what came of it.
type death struct {
	killed, detected, taken, notified time.Time
	// Notifications of it until the member had been back for a while.
	firing, resolved int
}

// measureDeaths kills members, each again and again.
func measureDeaths(b *testserver.Bench, s settings, n int) *result {
	r := &result{settings: s}
	b.Section(func() {
		l := newLab(b, s)
		l.fill(fillers)
		victims := l.victims(min(n, victimCount))
		var lives sync.WaitGroup
		var mu sync.Mutex
		left := n
		for _, v := range victims {
			lives.Go(func() {
				for {
					mu.Lock()
					left--
					more := left >= 0
					mu.Unlock()
					if !more {
						return
					}
					d := v.die()
					mu.Lock()
					r.deaths = append(r.deaths, d)
					mu.Unlock()
				}
			})
		}
		lives.Wait()
	})
	return r
}

// die kills the member at any moment of a scrape's interval, waits until everybody knows, lets it live again, and waits
// until everybody knows that.
func (v *victim) die() death {
	l := v.lab
	time.Sleep(rand.N(l.scrape + l.evaluation))
	d := death{killed: v.kill()}
	l.waitFor(v.name, "firing", d.killed)
	d.notified = l.noticed(v.name, "firing", d.killed)
	d.detected = l.detected(v.name)
	d.taken = earliest(l.fromRules.first(v.name, d.killed), l.fromBridge.first(v.name, d.killed))
	back := time.Now()
	v.Start()
	l.waitFor(v.name, "resolved", back)
	time.Sleep(l.groupInterval + 2*l.resend) // What should not come has time to.
	d.firing, d.resolved = l.count(v.name, d.killed)
	return d
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// waitFor waits for a notification about a member.
func (l *lab) waitFor(member, status string, after time.Time) {
	l.hooks.Wait(status+" notification of "+member, func(all []testserver.Notification) bool {
		return !firstNotice(all, member, status, after).IsZero()
	})
}

// noticed gives when the first such notification came.
func (l *lab) noticed(member, status string, after time.Time) time.Time {
	return firstNotice(l.hooks.All(), member, status, after)
}

func firstNotice(all []testserver.Notification, member, status string, after time.Time) time.Time {
	for _, n := range all {
		for _, a := range n.Alerts {
			if a.Labels["member"] == member && a.Status == status && n.Time.After(after) {
				return n.Time
			}
		}
	}
	return time.Time{}
}

// count counts the notifications about a member since a moment.
func (l *lab) count(member string, after time.Time) (firing, resolved int) {
	for _, n := range l.hooks.All() {
		for _, a := range n.Alerts {
			switch {
			case a.Labels["member"] != member || !n.Time.After(after):
			case a.Status == "firing":
				firing++
			default:
				resolved++
			}
		}
	}
	return firing, resolved
}
