package collector

import (
	"cmp"
	"slices"

	"servicegroup_exporter/collector/tracker"
)

// keepRecent is how many events of a source are in its state file, the newest. A file with as many has 200 kB more.
const keepRecent = 1000

// recent are the newest events of a source, oldest first, as the state file has them.
type recent struct {
	events []tracker.SavedEvent
	past   []Event // what the state file had when this process began; it never changes
}

// add adds events that were sent.
func (r *recent) add(events []Event) {
	for i := range events {
		r.events = append(r.events, tracker.SaveEvent(&events[i]))
	}
	if len(r.events) > 2*keepRecent {
		r.events = slices.Clone(r.newest())
	}
}

// newest returns the events to save.
func (r *recent) newest() []tracker.SavedEvent {
	return r.events[max(0, len(r.events)-keepRecent):]
}

// restore takes over the events of a state file. Of a source that was removed and has returned, the newest are of this process.
func (r *recent) restore(source string, saved []tracker.SavedEvent, sent *broadcast) {
	slices.SortStableFunc(saved, func(a, b tracker.SavedEvent) int { return cmp.Compare(a.ID, b.ID) })
	r.events = saved
	if len(saved) == 0 {
		return
	}
	began := sent.continueAfter(saved[len(saved)-1].ID)
	for i := range saved {
		if saved[i].ID <= began {
			r.past = append(r.past, saved[i].Restore(source))
		}
	}
}

// lastPastID returns the ID of the newest event of earlier processes, 0 if there is none.
func (r *recent) lastPastID() int64 {
	if len(r.past) == 0 {
		return 0
	}
	return r.past[len(r.past)-1].ID
}

// LastPastID returns the ID of the newest event that [Collector.PastEvents] returns, 0 if there is none.
func (c *Collector) LastPastID() int64 {
	var last int64
	for _, s := range *c.sources.Load() {
		last = max(last, s.recent.lastPastID())
	}
	return last
}

// PastEvents returns the events with a greater ID than after that the state files of the sources had when this process began,
// oldest first. Subscribers do not get them.
func (c *Collector) PastEvents(after int64) []Event {
	var past []Event
	for _, s := range *c.sources.Load() {
		first, _ := slices.BinarySearchFunc(s.recent.past, after+1, func(e Event, id int64) int { return cmp.Compare(e.ID, id) })
		past = append(past, s.recent.past[first:]...)
	}
	slices.SortFunc(past, func(a, b Event) int { return cmp.Compare(a.ID, b.ID) })
	return past
}
