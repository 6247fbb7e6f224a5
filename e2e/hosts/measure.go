package main

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"servicegroup_exporter/internal/testserver"
)

// A result is what a cloud has shown.
type result struct {
	settings settings
	// stalled and restarted are the notifications of a stall, and of a restart of all services of a machine.
	stalled, restarted notified
	refuted            notified // of a machine that was frozen and returned
	pages              []time.Duration
	killed             notified // of all machines that were killed
	suspicions         int      // messages in the chat about members that were suspected before their hosts were
}

// notified counts notifications to persons: by the pager and by tickets.
type notified struct{ firing, resolved int }

// measure runs a cloud.
func measure(t testserver.TB, s settings) *result {
	c := newCloud(t, s)
	r := &result{settings: s}
	t.Logf("restarting all services of %s", c.machines[0].name)
	r.restarted = c.notifications(func() {
		c.machines[0].hold()
		time.Sleep(s.restart)
		c.machines[0].release()
		c.settle("restarted")
	})
	t.Logf("holding the reports of all machines for %s", s.stall)
	r.stalled = c.notifications(func() {
		for _, m := range c.machines {
			m.hold()
		}
		time.Sleep(s.stall)
		for _, m := range c.machines {
			m.release()
		}
		c.settle("stalled")
	})
	t.Logf("freezing %s until it is paged", c.frozen.name)
	c.frozen.hold()
	c.waitForPage(c.frozen, "firing")
	c.frozen.release()
	c.startPrometheus()
	before := c.received("/chat", "firing")
	t.Logf("killing %d machines", s.deaths)
	r.killed = c.notifications(func() { r.pages = c.kill(c.machines[2 : 2+s.deaths]) })
	r.suspicions = c.received("/chat", "firing") - before
	t.Logf("waiting until the page of %s has ended", c.frozen.name)
	c.waitForPage(c.frozen, "resolved")
	c.settle("refuted")
	r.refuted = notified{c.receivedAbout(c.frozen, "firing"), c.receivedAbout(c.frozen, "resolved")}
	return r
}

// kill kills machines at random instants, and waits until the deaths of all their members are confirmed and would have been notified. It
// returns how long each page took.
func (c *cloud) kill(machines []*machine) []time.Duration {
	var killing sync.WaitGroup
	pages := make([]time.Duration, len(machines))
	for i, m := range machines {
		time.Sleep(c.spacing/2 + rand.N(c.spacing))
		killed := m.hold()
		killing.Go(func() { pages[i] = c.waitForPage(m, "firing").Sub(killed) })
	}
	killing.Wait()
	c.until("the deaths of all their members are confirmed", func() bool {
		return c.count(`servicegroup_member_down\{.*\} 1`) == 3*len(machines)
	})
	c.until("the alerts about all their members are inhibited", func() bool {
		inhibited := 0
		for _, a := range c.alertmanager.Alerts() {
			if a.Labels["alertname"] == "ServiceGroupMemberDown" && len(a.Status.InhibitedBy) > 0 {
				inhibited++
			}
		}
		return inhibited == 3*len(machines)
	})
	c.settle("killed")
	return pages
}

// waitForPage waits for a notification of the pager about a host, and returns when it came.
func (c *cloud) waitForPage(m *machine, status string) (at time.Time) {
	c.until(fmt.Sprintf("the pager has a %s notification of %s", status, m.name), func() bool {
		for _, n := range c.hooks.All() {
			for _, a := range n.Alerts {
				if n.Path == "/pager" && a.Labels["alertname"] == "ServiceGroupHostDown" && a.Labels["host"] == m.name && a.Status == status {
					at = n.Time
					return true
				}
			}
		}
		return false
	})
	return at
}

// settle waits until alerts that were posted before have been notified, if they are notified at all: it posts an alert of another
// program, which has the longest group_wait, and waits for its message.
func (c *cloud) settle(mark string) {
	c.alertmanager.Post(testserver.Alert{
		Labels: map[string]string{"alertname": "Settled", "severity": "info", "mark": mark, "cluster": mark}, EndsAt: time.Now().Add(time.Hour),
	})
	c.until("Alertmanager has notified what it had", func() bool {
		for _, n := range c.hooks.All() {
			if n.CommonLabels["mark"] == mark {
				return true
			}
		}
		return false
	})
}

// notifications counts the notifications to persons that come while something is done, without those about the frozen machine.
func (c *cloud) notifications(do func()) notified {
	count := func() notified {
		return notified{
			c.received("/pager", "firing") + c.received("/tickets", "firing"), c.received("/pager", "resolved") + c.received("/tickets", "resolved"),
		}
	}
	before := count()
	do()
	after := count()
	return notified{after.firing - before.firing, after.resolved - before.resolved}
}

// receivedAbout returns how many notifications to persons with a status are about a machine alone.
func (c *cloud) receivedAbout(m *machine, status string) int {
	n := 0
	for _, received := range c.hooks.All() {
		if received.Path != "/chat" && received.Status == status && received.CommonLabels["host"] == m.name {
			n++
		}
	}
	return n
}

// received returns how many notifications with a status about this cloud a receiver has, without those about the frozen machine.
func (c *cloud) received(path, status string) int {
	n := 0
	for _, received := range c.hooks.All() {
		if received.Path == path && received.Status == status && received.CommonLabels["cluster"] == "test" &&
			received.CommonLabels["host"] != c.frozen.name {
			n++
		}
	}
	return n
}
