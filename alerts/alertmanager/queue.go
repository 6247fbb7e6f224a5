package alertmanager

import (
	"container/list"
	"slices"
)

// A queue has the newest version of each alert that waits to be posted. Alerts that inhibit others leave it before all
// others; otherwise the order is that in which they came. It is not safe for concurrent use.
type queue struct {
	capacity int
	first    list.List                // of *Alert: those with First
	rest     list.List                // of *Alert: all others
	elements map[string]*list.Element // of both lists, by key
}

func newQueue(capacity int) *queue {
	return &queue{capacity: capacity, elements: map[string]*list.Element{}}
}

func (q *queue) len() int { return len(q.elements) }

// listOf returns the list that an alert belongs to.
func (q *queue) listOf(a *Alert) *list.List {
	if a.First {
		return &q.first
	}
	return &q.rest
}

// add queues an alert, in place of an older version of it. When the queue is full it drops the oldest alerts, and returns
// how many.
func (q *queue) add(a *Alert) (dropped int) {
	if element, ok := q.elements[a.key]; ok {
		older, _ := element.Value.(*Alert)
		a.inherit(older)
		if older.First == a.First {
			element.Value = a
			return 0
		}
		q.remove(element)
	}
	q.elements[a.key] = q.listOf(a).PushBack(a)
	for q.len() > q.capacity {
		q.remove(q.oldest())
		dropped++
	}
	return dropped
}

// oldest returns the alert to drop from a full queue: alerts that inhibit others are dropped last.
func (q *queue) oldest() *list.Element {
	if front := q.rest.Front(); front != nil {
		return front
	}
	return q.first.Front()
}

func (q *queue) remove(element *list.Element) *Alert {
	a, _ := element.Value.(*Alert)
	q.listOf(a).Remove(element)
	delete(q.elements, a.key)
	return a
}

// drop removes the alert with a key, if it is queued.
func (q *queue) drop(key string) {
	if element, ok := q.elements[key]; ok {
		q.remove(element)
	}
}

// take removes the next alerts, at most n, and returns them.
func (q *queue) take(n int) []*Alert {
	var batch []*Alert
	for _, l := range []*list.List{&q.first, &q.rest} {
		for len(batch) < n && l.Len() > 0 {
			batch = append(batch, q.remove(l.Front()))
		}
	}
	return batch
}

// putBack queues alerts again that were taken, in their old places, unless a newer version is queued by now. It returns how
// many it dropped because the queue is full.
func (q *queue) putBack(batch []*Alert) (dropped int) {
	for _, a := range slices.Backward(batch) {
		if element, ok := q.elements[a.key]; ok {
			newer, _ := element.Value.(*Alert)
			newer.inherit(a)
			continue
		}
		if q.len() >= q.capacity {
			dropped++
			continue
		}
		q.elements[a.key] = q.listOf(a).PushFront(a)
	}
	return dropped
}
