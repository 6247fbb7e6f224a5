package bridge

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"

	"servicegroup_exporter/collector/hosts"
)

// A dice makes random histories.
type dice struct {
	*rand.Rand
	history

	names []memberName // that may be members at some time
}

// historyMinutes is how long histories last: for longer than rules remember an exporter.
const historyMinutes = 80

// randomHistory returns the history of a seed.
func randomHistory(seed uint64) *history {
	d := &dice{Rand: rand.New(rand.NewPCG(seed, 15))}
	d.seed, d.exporters = seed, 1+d.IntN(5)/3
	const most = 8
	names := make([]string, most) // The groups share hosts.
	for i := range names {
		names[i] = fmt.Sprintf(pick(d.Rand, "c%d", "host%d.example.com:9000", `"q%d" \n`, "vol%d@lvm#pool", "grün%d"), i)
	}
	for _, g := range [][2]string{{"nova", "compute"}, {"nova", "scheduler"}, {"nova", "conductor"}, {"zk", "web"}, {"zk", "api"}} {
		if d.IntN(5) < 2 {
			continue
		}
		for _, name := range names[:1+d.IntN(most)] {
			m := memberName{g[0], g[1], name}
			d.names = append(d.names, m)
			if d.IntN(8) > 0 {
				d.members = append(d.members, m)
			}
		}
	}
	if len(d.names) == 0 {
		d.names = append(d.names, memberName{"nova", "compute", "c0"})
	}
	for range 2 + d.IntN(12) {
		d.episode()
	}
	d.events = slices.DeleteFunc(d.events, func(h happening) bool { return h.minute >= historyMinutes })
	slices.SortStableFunc(d.events, func(a, b happening) int { return cmp.Compare(a.minute, b.minute) })
	d.stayAfterLoss()
	return &d.history
}

// stayAfterLoss keeps an exporter that has lost its state from going away for an hour. It has no zeros that say which deaths
// are over, so that the rules would take what it said before: docs/alerting.md names this limit.
func (d *dice) stayAfterLoss() {
	lost := map[int]int{} // minutes, by exporter
	d.events = slices.DeleteFunc(d.events, func(h happening) bool {
		if h.what == forgets {
			lost[h.exporter] = h.minute
		}
		since, hasLost := lost[h.exporter]
		return hasLost && h.minute-since <= 60 && slices.Contains([]what{stops, replaced, removed}, h.what)
	})
}

// after returns a later minute: soon, or after the time for which rules remember.
func (d *dice) after(minute int) int {
	return minute + pick(d.Rand, 1, 1, 2, 3, 4, 6, 9, 20, 58, 61, 70)
}

// add adds something that happens to a member, a group or a source.
func (d *dice) add(minute, exporter int, m memberName, w what) {
	d.events = append(d.events, happening{minute: minute, what: w, memberName: m, exporter: exporter})
}

// episode adds something that begins and mostly ends.
func (d *dice) episode() {
	begin := d.IntN(historyMinutes)
	end := d.after(begin)
	m := d.names[d.IntN(len(d.names))]
	exporter := pick(d.Rand, all, d.IntN(d.exporters))
	add := func(minute int, w what) { d.add(minute, all, m, w) }
	switch d.IntN(18) {
	case 0, 1, 2:
		add(begin, dies)
		add(end, recovers)
	case 3:
		d.manyDie(begin, end, m)
	case 4:
		add(begin, joins)
		add(end, dies)
		add(d.after(end), pick(d.Rand, leaves, recovers))
	case 5:
		add(begin, pick(d.Rand, dies, recovers))
		add(end, leaves)
		add(d.after(end), joins)
	case 6:
		d.maintenance(begin, end, m)
	case 7:
		d.add(begin, exporter, m, pick(d.Rand, damaged, unknown))
		add(pick(d.Rand, begin, end), pick(d.Rand, dies, recovers, leaves))
		d.add(d.after(begin), all, m, repaired)
	case 8, 9:
		about := memberName{source: m.source}
		if d.IntN(2) == 0 {
			about.group = m.group
		}
		d.add(begin, exporter, about, cantBeRead)
		d.add(end, exporter, about, canBeRead)
		add(pick(d.Rand, begin, begin+1, end), pick(d.Rand, dies, recovers, joins))
	case 10:
		d.add(begin, exporter, memberName{source: m.source}, looksWrong)
		d.add(end, exporter, memberName{source: m.source}, looksRight)
	case 13, 14:
		d.hostDies(begin, end, m)
	case 11, 12:
		add(begin, hangs)
		add(pick(d.Rand, begin+3, end), pick(d.Rand, recovers, recovers, leaves, disabled))
	default:
		d.exporter(begin, end)
	}
}

// manyDie makes a group die, or most of it.
func (d *dice) manyDie(begin, end int, about memberName) {
	for _, m := range d.names {
		if m.source == about.source && (m.group == about.group || d.IntN(2) == 0) && d.IntN(6) > 0 {
			d.add(begin+d.IntN(2), all, m, dies)
			d.add(end+d.IntN(2), all, m, recovers)
		}
	}
}

// hostDies makes all members on a host die or hang, most often, and return one after the other.
func (d *dice) hostDies(begin, end int, about memberName) {
	naming := &hosts.Naming{}
	for _, m := range d.names {
		if naming.Host(m.name) == naming.Host(about.name) && d.IntN(8) > 0 {
			d.add(begin+d.IntN(2), all, m, pick(d.Rand, dies, dies, hangs))
			d.add(end+d.IntN(3), all, m, recovers)
		}
	}
}

// maintenance disables or forces down a member, which also dies: before, meanwhile or not at all.
func (d *dice) maintenance(begin, end int, m memberName) {
	start, stop := disabled, enabled
	switch d.IntN(3) {
	case 0:
		start = autoDisabled
	case 1:
		start, stop = forced, unforced
	}
	if !hasHeartbeats(m.source) {
		start, stop = leaves, joins
	}
	for _, w := range pick(d.Rand, []what{dies, start, recovers, stop}, []what{start, dies, stop, recovers}, []what{start, stop}) {
		d.add(begin, all, m, w)
		begin = min(d.after(begin), max(end, begin))
	}
}

// exporter makes an exporter restart, stay away for a time, or get another name.
func (d *dice) exporter(begin, end int) {
	e := d.IntN(d.exporters)
	add := func(minute int, w what) { d.add(minute, e, memberName{}, w) }
	switch d.IntN(6) {
	case 0:
		add(begin, stops)
		add(begin, starts)
	case 1, 2:
		add(begin, stops)
		add(end, starts)
	case 3:
		add(begin, stops)
		add(begin, replaced)
		add(pick(d.Rand, begin, begin+1, end), starts)
	case 4:
		add(begin, forgets)
	case 5:
		add(begin, removed)
		add(end, added)
	}
}
