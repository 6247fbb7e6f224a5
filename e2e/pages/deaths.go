package main

import (
	"math/rand/v2"
	"sync"
	"time"

	"servicegroup_exporter/internal/testserver"
)

const (
	// liveMembers is the number of members that live all the time.
	liveMembers = 80
	// victimCount is the number of members that die, possibly at once. It is less than a quarter of all members.
	victimCount = 10
)

// A result is the measured deaths of one path.
type result struct {
	settings settings
	deaths   []death
}

// A death is when a member was killed, and when each step followed.
type death struct {
	killed, detected, accepted, notified time.Time
	// The number of notifications until the member was back for a while.
	firing, resolved int
}

// measureDeaths kills members until there are n deaths.
func measureDeaths(b *testserver.Bench, s settings, n int) *result {
	r := &result{settings: s}
	b.Section(func() {
		env := newEnvironment(b, s)
		env.joinLiveMembers(liveMembers)
		victims := env.startVictims(min(n, victimCount))
		var running sync.WaitGroup
		var mu sync.Mutex
		left := n
		for _, v := range victims {
			running.Go(func() {
				for {
					mu.Lock()
					left--
					more := left >= 0
					mu.Unlock()
					if !more {
						return
					}
					d := v.dieAndReturn()
					mu.Lock()
					r.deaths = append(r.deaths, d)
					mu.Unlock()
				}
			})
		}
		running.Wait()
	})
	return r
}

// dieAndReturn kills the member at a random moment between two scrapes, waits for the firing notification, restarts the
// member, and waits for the resolved notification.
func (v *victim) dieAndReturn() death {
	env := v.env
	time.Sleep(rand.N(env.scrape + env.evaluation))
	d := death{killed: v.kill()}
	env.waitFor(v.name, "firing", d.killed)
	d.notified = env.notificationTime(v.name, "firing", d.killed)
	d.detected = env.detected(v.name)
	d.accepted = earliest(env.fromRules.first(v.name, d.killed), env.fromBridge.first(v.name, d.killed))
	back := time.Now()
	v.Start()
	env.waitFor(v.name, "resolved", back)
	time.Sleep(env.groupInterval + 2*env.resend) // This leaves time for wrong notifications.
	d.firing, d.resolved = env.count(v.name, d.killed)
	return d
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// waitFor waits for a notification about a member.
func (env *environment) waitFor(member, status string, after time.Time) {
	env.hooks.Wait(status+" notification of "+member, func(all []testserver.Notification) bool {
		return !firstNotification(all, member, status, after).IsZero()
	})
}

// notificationTime returns when the first notification about a member was received.
func (env *environment) notificationTime(member, status string, after time.Time) time.Time {
	return firstNotification(env.hooks.All(), member, status, after)
}

func firstNotification(all []testserver.Notification, member, status string, after time.Time) time.Time {
	for _, n := range all {
		for _, a := range n.Alerts {
			if a.Labels["member"] == member && a.Status == status && n.Time.After(after) {
				return n.Time
			}
		}
	}
	return time.Time{}
}

// count counts the notifications about a member after a time.
func (env *environment) count(member string, after time.Time) (firing, resolved int) {
	for _, n := range env.hooks.All() {
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
