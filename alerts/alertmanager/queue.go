package alertmanager

import (
	"container/list"
	"slices"
	"time"
)

// A queue holds the newest version of each alert that waits: those that go first, and the others, each in the order in
// which they came. It is not safe for concurrent use.
type queue struct {
	capacity int
	first    list.List
	rest     list.List
	elements map[string]*list.Element // of entries, by key
}

// An entry is an alert that waits.
type entry struct {
	key   string
	alert *Alert
	// detected is when the change that this version tells of was found, zero if it was told already: that of the alert, or of
	// an older version that was never posted and said the same.
	detected time.Time
}

// over gives the entry that takes the place of an older one.
func (e entry) over(old entry) entry {
	if e.detected.IsZero() && e.alert.fires() == old.alert.fires() {
		e.detected = old.detected
	}
	return e
}

func newQueue(capacity int) *queue {
	return &queue{capacity: capacity, elements: map[string]*list.Element{}}
}

func (q *queue) len() int { return len(q.elements) }

// of gives the list that an alert belongs to.
func (q *queue) of(a *Alert) *list.List {
	if a.First {
		return &q.first
	}
	return &q.rest
}

// add lets an alert wait. An older version gives its place to it. It returns how many others had to go for it.
func (q *queue) add(e entry) (dropped int) {
	if old, ok := q.elements[e.key]; ok {
		was, _ := old.Value.(entry)
		e = e.over(was)
		if was.alert.First == e.alert.First {
			old.Value = e
			return 0
		}
		q.remove(old)
	}
	q.elements[e.key] = q.of(e.alert).PushBack(e)
	for q.len() > q.capacity {
		q.remove(q.oldest())
		dropped++
	}
	return dropped
}

// oldest gives what is to go when there is too much: others before those that inhibit them.
func (q *queue) oldest() *list.Element {
	if front := q.rest.Front(); front != nil {
		return front
	}
	return q.first.Front()
}

func (q *queue) remove(element *list.Element) entry {
	e, _ := element.Value.(entry)
	q.of(e.alert).Remove(element)
	delete(q.elements, e.key)
	return e
}

// drop lets an alert wait no more, if it does.
func (q *queue) drop(key string) {
	if element, ok := q.elements[key]; ok {
		q.remove(element)
	}
}

// take removes the next alerts, at most n.
func (q *queue) take(n int) []entry {
	var batch []entry
	for _, l := range []*list.List{&q.first, &q.rest} {
		for len(batch) < n && l.Len() > 0 {
			batch = append(batch, q.remove(l.Front()))
		}
	}
	return batch
}

// putBack lets alerts that were taken wait again, in their old places, unless there is a newer version by now. It returns
// how many there was no place for.
func (q *queue) putBack(batch []entry) (dropped int) {
	for _, e := range slices.Backward(batch) {
		if newer, ok := q.elements[e.key]; ok {
			it, _ := newer.Value.(entry)
			newer.Value = it.over(e)
			continue
		}
		if q.len() >= q.capacity {
			dropped++
			continue
		}
		q.elements[e.key] = q.of(e.alert).PushFront(e)
	}
	return dropped
}
