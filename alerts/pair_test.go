package alerts

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Two exporters read the same ZooKeeper for redundancy: a death that both see is one alert, and a death while one exporter is
// down is seen too.
func TestPair(t *testing.T) {
	t.Parallel() // It waits for most of its time.
	s := newEnvironment(t)
	first, second := s.join("zk", "web", "w1"), s.join("zk", "web", "w2")
	for _, name := range []string{"w3", "w4", "w5", "w6", "w7", "w8", "w9"} { // So that two dead members are not a mass failure.
		s.join("zk", "web", name)
	}
	s.until("both see all members", func() bool { return s.value(`count(service_up{source="zk"} == 1)`) == 18 })

	first.Kill()
	s.waitForAlerts([]string{"MemberDown web w1"})
	s.until("both see the death", func() bool { return s.value(`count(service_up{member="w1"} == 0)`) == 2 })
	s.waitForAlerts([]string{"MemberDown web w1"})

	s.a.Kill()
	s.until("one exporter is down", func() bool { return s.value(`sum(up{job="servicegroup_exporter"})`) == 1 })
	second.Kill()
	both := []string{"ExporterDown", "MemberDown web w1", "MemberDown web w2"}
	s.waitForAlerts(both)

	// The exporter that was down sees the death that it missed.
	began := time.Now()
	s.a.Start()
	s.until("both see both deaths", func() bool { return s.value(`count(service_up{source="zk"} == 0)`) == 4 })
	s.waitForAlerts(both[1:])
	s.until("some time has passed", func() bool { return time.Since(began) > 5*time.Second })
	require.Equal(t, both[1:], s.alerts())
	require.InDelta(t, 2, s.value(`min_over_time(count(ALERTS{alertname="ServiceGroupMemberDown"})[5s:1s])`), 0, "an alert was interrupted")
}
