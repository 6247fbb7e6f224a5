package alerts

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Two exporters watch the same ensemble for availability: what both see is one alert, and what happens while one of them
// is gone is seen all the same.
func TestPair(t *testing.T) {
	t.Parallel() // It waits for most of its time.
	s := newStage(t)
	first, second := s.join("zk", "web", "w1"), s.join("zk", "web", "w2")
	for _, name := range []string{"w3", "w4", "w5", "w6", "w7", "w8", "w9"} { // So that two are not many.
		s.join("zk", "web", name)
	}
	s.until("both see everybody", func() bool { return s.value(`count(service_up{source="zk"} == 1)`) == 18 })

	first.Kill()
	s.show([]string{"MemberDown web w1"})
	s.until("both see it", func() bool { return s.value(`count(service_up{member="w1"} == 0)`) == 2 })
	s.show([]string{"MemberDown web w1"})

	s.a.Kill()
	s.until("one is gone", func() bool { return s.value(`sum(up{job="servicegroup_exporter"})`) == 1 })
	second.Kill()
	both := []string{"ExporterDown", "MemberDown web w1", "MemberDown web w2"}
	s.show(both)

	// The one that comes back learns of the death that it missed, and agrees.
	began := time.Now()
	s.a.Start()
	s.until("both see both", func() bool { return s.value(`count(service_up{source="zk"} == 0)`) == 4 })
	s.show(both[1:])
	s.until("some time has passed", func() bool { return time.Since(began) > 5*time.Second })
	require.Equal(t, both[1:], s.alerts())
	require.InDelta(t, 2, s.value(`min_over_time(count(servicegroup:member_down)[5s:1s])`), 0, "an alert was interrupted")
}
