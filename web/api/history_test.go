package api

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/collector"
	"servicegroup_exporter/drivers"
)

// noEvents is a source without events; tests add events themselves.
type noEvents struct{}

func (noEvents) Subscribe(int) (<-chan collector.Event, func()) { return nil, func() {} }

func happens(h *History, what collector.EventType, member string) {
	h.add(&collector.Event{Type: what, Source: "a", Member: drivers.Member{Group: "web", Name: member}})
}

func TestHistoryIsBounded(t *testing.T) {
	h := NewHistory(noEvents{})
	before := h.last()
	happens(h, collector.EventDeath, "quiet")
	for range keepEvents - 1 {
		happens(h, collector.EventDeath, "flapping")
	}
	require.Len(t, h.newest(filter{}, 0, 2*keepEvents), keepEvents)
	require.Len(t, h.newest(filter{}, 0, 10), 10)
	require.Len(t, h.newest(filter{member: "quiet"}, 0, 10), 1)
	require.Empty(t, h.newest(filter{member: "quiet", source: "b"}, 0, 10))
	newest := h.newest(filter{}, 0, keepEvents)
	require.Equal(t, before+keepEvents, newest[0].ID)
	require.Greater(t, newest[0].ID, newest[1].ID)

	happens(h, collector.EventDeath, "new")
	require.Len(t, h.newest(filter{}, 0, 2*keepEvents), keepEvents)
	require.Empty(t, h.newest(filter{member: "quiet"}, 0, 10), "the oldest event makes room")
	require.Equal(t, "new", h.newest(filter{}, 0, 1)[0].Member)
}

func TestHistoryAfter(t *testing.T) {
	h := NewHistory(noEvents{})
	begin := h.last()
	for i := range 5 {
		happens(h, collector.EventDeath, fmt.Sprint("m", i%2))
	}
	h.add(&collector.Event{Type: collector.EventSourceLost, Source: "b"})
	for _, tt := range []struct {
		filter filter
		after  int64
		want   []int64 // minus the ID that the history began with
	}{
		{filter{}, begin, []int64{6, 5, 4, 3, 2, 1}},
		{filter{}, begin + 4, []int64{6, 5}},
		{filter{}, begin + 6, nil},
		{filter{}, begin + 7, []int64{6, 5, 4, 3, 2, 1}}, // from a process with another clock
		{filter{}, 0, []int64{6, 5, 4, 3, 2, 1}},
		{filter{}, 17, []int64{6, 5, 4, 3, 2, 1}}, // from an older process
		{filter{source: "b"}, 0, []int64{6}},
		{filter{group: "web"}, begin + 3, []int64{5, 4}},
		{filter{member: "m1"}, 0, []int64{4, 2}},
		{filter{member: "m1"}, begin + 2, []int64{4}},
		{filter{member: "m1", group: "db"}, 0, nil},
	} {
		var got []int64
		for _, e := range h.newest(tt.filter, tt.after, keepEvents) {
			got = append(got, e.ID-begin)
		}
		require.Equal(t, tt.want, got, "%+v", tt)
	}
}

// A process that is started later has greater IDs, although it does not know the IDs of the process before.
func TestIDsGrowOverRestarts(t *testing.T) {
	inTime(t, func(t *testing.T) {
		first := NewHistory(noEvents{})
		for range 10000 {
			happens(first, collector.EventDeath, "m")
		}
		time.Sleep(time.Second)
		second := NewHistory(noEvents{})
		require.Greater(t, second.last(), first.last())
		require.Less(t, second.last(), int64(1)<<53)
	})
}

// The deaths of ten thousand members in one poll are all kept.
func TestMassDeath(t *testing.T) {
	inTime(t, func(t *testing.T) {
		b := newBench(t, "a")
		var alive, dead []drivers.Member
		for i := range eventBuffer {
			alive = append(alive, up("web", fmt.Sprint("m", i)))
			dead = append(dead, down("web", fmt.Sprint("m", i)))
		}
		b.sources["a"].has(alive...)
		b.pollIn(0)
		b.sources["a"].has(dead...)
		b.pollIn(2 * time.Minute)
		require.Len(t, b.history.newest(filter{}, 0, keepEvents), eventBuffer)
	})
}
