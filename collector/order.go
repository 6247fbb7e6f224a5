package collector

import (
	"cmp"
	"slices"
	"sync"

	"servicegroup_exporter/collector/exposition"
)

// A roll is the labels of a source's members, in the order of its views. It outlives changes of values.
type roll struct {
	labels []*memberLabels
	sorted func() rollOrder
}

// A rollOrder has the places of members in a roll, sorted by labels.
type rollOrder struct {
	common, info, agents []place
}

// A place is where the series are to which labels belong.
type place struct {
	labels         *exposition.Labels
	source, member int32
}

func comparePlaces(a, b place) int { return exposition.Compare(a.labels, b.labels) }

func newRoll(labels []*memberLabels) *roll {
	r := &roll{labels: labels}
	r.sorted = sync.OnceValue(r.sort) // Nobody may ever ask.
	return r
}

func (r *roll) sort() rollOrder {
	var o rollOrder
	o.common, o.info = make([]place, len(r.labels)), make([]place, len(r.labels))
	for i, l := range r.labels {
		o.common[i] = place{labels: l.common, member: int32(i)}
		o.info[i] = place{labels: l.info, member: int32(i)}
		if l.agent != nil {
			o.agents = append(o.agents, place{labels: l.agent.labels, member: int32(i)})
		}
	}
	for _, places := range [][]place{o.common, o.info, o.agents} {
		slices.SortFunc(places, func(a, b place) int { return cmp.Or(comparePlaces(a, b), cmp.Compare(a.member, b.member)) })
	}
	return o
}

// An order is where the series of all sources' members stand in the exposition, sorted by their labels. It holds as long
// as each source's roll does.
type order struct {
	rolls        []*roll
	common, info []place
	agents       map[*agentMetric][]place // equal labels side by side, in the order of sources
}

func newOrder(rolls []*roll) *order {
	o := &order{rolls: rolls, agents: make(map[*agentMetric][]place)}
	var common, info [][]place
	agents := make(map[*agentMetric][][]place)
	for i, r := range rolls {
		sorted := r.sorted()
		common = append(common, inSource(i, sorted.common))
		info = append(info, inSource(i, sorted.info))
		if len(sorted.agents) > 0 {
			metric := r.labels[sorted.agents[0].member].agent.metric
			agents[metric] = append(agents[metric], inSource(i, sorted.agents))
		}
	}
	o.common, o.info = mergeAll(common), mergeAll(info)
	for metric, lists := range agents {
		o.agents[metric] = mergeAll(lists)
	}
	return o
}

// inSource gives places with the number of their source.
func inSource(source int, places []place) []place {
	places = slices.Clone(places)
	for i := range places {
		places[i].source = int32(source)
	}
	return places
}

// mergeAll merges sorted lists into one. Of equal places those of the earlier list come first.
func mergeAll(lists [][]place) []place {
	for len(lists) > 1 {
		merged := lists[:0]
		for pair := range slices.Chunk(lists, 2) {
			if len(pair) == 2 {
				pair[0] = merge(pair[0], pair[1])
			}
			merged = append(merged, pair[0])
		}
		lists = merged
	}
	return slices.Concat(lists...)
}

func merge(a, b []place) []place {
	merged := make([]place, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if comparePlaces(a[0], b[0]) <= 0 {
			merged, a = append(merged, a[0]), a[1:]
		} else {
			merged, b = append(merged, b[0]), b[1:]
		}
	}
	return append(append(merged, a...), b...)
}
