package api

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/collector"
	"servicegroup_exporter/drivers"
)

// An earlier process has these events; tests add events of this process themselves.
type earlier []collector.Event

func (earlier) Subscribe(int) (<-chan collector.Event, func()) { return nil, func() {} }

func (e earlier) PastEvents(after int64) []collector.Event {
	return slices.DeleteFunc(slices.Clone(e), func(event collector.Event) bool { return event.ID <= after })
}

func (e earlier) LastPastID() int64 {
	if len(e) == 0 {
		return 0
	}
	return e[len(e)-1].ID
}

// begin is less than the ID of each event that happens.
const begin = 1000

func happens(h *History, what collector.EventType, member string) {
	h.add(&collector.Event{ID: max(h.last(), begin) + 1, Type: what, Source: "a", Member: drivers.Member{Group: "web", Name: member}})
}

func TestHistoryIsBounded(t *testing.T) {
	h := NewHistory(earlier{})
	happens(h, collector.EventDeath, "quiet")
	for range keepEvents - 1 {
		happens(h, collector.EventDeath, "flapping")
	}
	require.Len(t, h.Newest(Filter{}, 0, 2*keepEvents), keepEvents)
	require.Len(t, h.Newest(Filter{}, 0, 10), 10)
	require.Len(t, h.Newest(Filter{Member: "quiet"}, 0, 10), 1)
	require.Empty(t, h.Newest(Filter{Member: "quiet", Source: "b"}, 0, 10))
	newest := h.Newest(Filter{}, 0, keepEvents)
	require.Equal(t, int64(begin+keepEvents), newest[0].ID)
	require.Greater(t, newest[0].ID, newest[1].ID)

	happens(h, collector.EventDeath, "new")
	require.Len(t, h.Newest(Filter{}, 0, 2*keepEvents), keepEvents)
	require.Empty(t, h.Newest(Filter{Member: "quiet"}, 0, 10), "the oldest event makes room")
	require.Equal(t, "new", h.Newest(Filter{}, 0, 1)[0].Member)
}

func TestHistoryAfter(t *testing.T) {
	h := NewHistory(earlier{})
	for i := range 5 {
		happens(h, collector.EventDeath, fmt.Sprint("m", i%2))
	}
	h.add(&collector.Event{ID: begin + 6, Type: collector.EventSourceLost, Source: "b"})
	for _, tt := range []struct {
		filter Filter
		after  int64
		want   []int64 // minus the ID that the history began with
	}{
		{Filter{}, begin, []int64{6, 5, 4, 3, 2, 1}},
		{Filter{}, begin + 4, []int64{6, 5}},
		{Filter{}, begin + 6, nil},
		{Filter{}, begin + 7, []int64{6, 5, 4, 3, 2, 1}}, // from a process with another clock
		{Filter{}, 0, []int64{6, 5, 4, 3, 2, 1}},
		{Filter{}, 17, []int64{6, 5, 4, 3, 2, 1}}, // from an older process
		{Filter{Source: "b"}, 0, []int64{6}},
		{Filter{Group: "web"}, begin + 3, []int64{5, 4}},
		{Filter{Member: "m1"}, 0, []int64{4, 2}},
		{Filter{Member: "m1"}, begin + 2, []int64{4}},
		{Filter{Member: "m1", Group: "db"}, 0, nil},
	} {
		var got []int64
		for _, e := range h.Newest(tt.filter, tt.after, keepEvents) {
			got = append(got, e.ID-begin)
		}
		require.Equal(t, tt.want, got, "%+v", tt)
	}
}

// The events of earlier processes come before the events of this one. A client that has some of them gets the rest.
func TestHistoryHasEarlierEvents(t *testing.T) {
	event := func(id int64, source string) collector.Event {
		return collector.Event{ID: id, Type: collector.EventSourceLost, Source: source, Err: errors.New("away")}
	}
	past := earlier{event(11, "a"), event(12, "b"), event(20, "a")}
	for _, tt := range []struct {
		name   string
		here   []int64 // events of this process
		filter Filter
		after  int64
		want   []int64
		last   int64
	}{
		{"nothing happened yet", nil, Filter{}, 0, []int64{11, 12, 20}, 20},
		{"a client that has one", nil, Filter{}, 11, []int64{12, 20}, 20},
		{"a client that has all", nil, Filter{}, 20, nil, 20},
		{"a client whose events are lost", nil, Filter{}, 30, []int64{11, 12, 20}, 20},
		{"of one source", []int64{1001}, Filter{Source: "a"}, 0, []int64{11, 20, 1001}, 1001},
		{"of a member", []int64{1001}, Filter{Member: "m"}, 0, nil, 1001},
		{"a client from before that has all", []int64{1001, 1002}, Filter{}, 20, []int64{1001, 1002}, 1002},
		{"a client from before that lacks one", []int64{1001, 1002}, Filter{}, 12, []int64{20, 1001, 1002}, 1002},
		{"a client of this process", []int64{1001, 1002}, Filter{}, 1001, []int64{1002}, 1002},
		{"a client of a later process", []int64{1001}, Filter{}, 2000, []int64{11, 12, 20, 1001}, 1001},
	} {
		t.Run(strings.ReplaceAll(tt.name, " ", "_"), func(t *testing.T) {
			h := NewHistory(past)
			for _, id := range tt.here {
				e := event(id, "a")
				h.add(&e)
			}
			events, last, _ := h.since(tt.filter, tt.after)
			var got []int64
			for _, e := range events {
				got = append(got, e.ID)
			}
			require.Equal(t, tt.want, got)
			require.Equal(t, tt.last, last)
		})
	}
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
		require.Len(t, b.history.Newest(Filter{}, 0, keepEvents), eventBuffer)
	})
}
