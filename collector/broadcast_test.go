package collector

import (
	"strconv"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
)

func testBroadcast() *broadcast {
	return newBroadcast(prometheus.NewCounter(prometheus.CounterOpts{Name: "dropped_total", Help: "In a test."}))
}

// received empties a channel and gives the sources of the events.
func received(ch <-chan Event) []string {
	var sources []string
	for {
		select {
		case e, ok := <-ch:
			if !ok {
				return append(sources, "closed")
			}
			sources = append(sources, e.Source)
		default:
			return sources
		}
	}
}

func TestEverySubscriberGetsEveryEvent(t *testing.T) {
	h := testBroadcast()
	a, endA := h.subscribe(10)
	b, _ := h.subscribe(10)
	h.send(Event{Source: "1"}, Event{Source: "2"})
	endA()
	endA()
	h.send(Event{Source: "3"})
	h.close()
	h.close()
	h.send(Event{Source: "4"})
	require.Equal(t, []string{"1", "2", "closed"}, received(a))
	require.Equal(t, []string{"1", "2", "3", "closed"}, received(b))
	require.Zero(t, testutil.ToFloat64(h.dropped))
}

func TestASlowSubscriberLosesTheOldest(t *testing.T) {
	for _, buffer := range []int{-1, 0, 1, 3} {
		h := testBroadcast()
		slow, _ := h.subscribe(buffer)
		fast, _ := h.subscribe(10)
		for i := range 5 {
			h.send(Event{Source: strconv.Itoa(i)})
		}
		kept := max(buffer, 1)
		require.Equal(t, []string{"0", "1", "2", "3", "4"}[5-kept:], received(slow))
		require.Len(t, received(fast), 5)
		require.InDelta(t, 5-kept, testutil.ToFloat64(h.dropped), 0)
	}
}
