package collector

import (
	"slices"
	"time"

	"servicegroup_exporter/drivers"
)

// A tracker decides who joined, died, recovered and left in one source. It is fed with polls and knows nothing of
// goroutines, metrics or clocks: whoever uses it says what time it is.
type tracker struct {
	source      string
	forgetAfter time.Duration

	known   bool // there was a successful poll, in this process or in a remembered one
	failing bool // there was a failed poll after it
	gapped  bool // a gap has ended with the poll that is being applied
	gaps    gaps
	set     instant // when it was seen that the clock of heartbeats had been set; zero: never

	last, lastSeen instant   // when the last successful poll began, and when it had come
	lastNow        time.Time // the backend's clock then

	limits  limits
	records map[drivers.Key]*record
	order   []*record // sorted by group and name
	head    record    // the one before the first row
	groups  map[string]*group
	met     map[string]bool // groups that the poll being applied has and the ones before had not
	newest  time.Time       // the newest heartbeat in the last successful poll that is not in the future
	unknown int             // members whose state is unknown
}

// A group is how many members of a group are in each state.
type group struct {
	up, down, unknown int
	inDoubt           bool    // some are unknown that may well be up
	emptied           instant // when the last member had gone
}

func (g *group) size() int { return g.up + g.down + g.unknown }

// A reading is a successful poll.
type reading struct {
	*drivers.Poll
	start, seen instant
	now         time.Time // the backend's clock, or this machine's where it has none
}

func newReading(p *drivers.Poll, start, seen instant) *reading {
	r := &reading{Poll: p, start: start, seen: seen, now: p.Now}
	if r.now.IsZero() {
		r.now = start.wall
	}
	return r
}

// An outcome is what a reading brought to light.
type outcome struct {
	events                []Event
	rejected              map[string]int
	newGroups, goneGroups []string
	// recheck is when the first held member should be looked at again, zero: none is held.
	recheck time.Duration
}

func newTracker(source string, forgetAfter time.Duration) *tracker {
	return &tracker{
		source: source, forgetAfter: forgetAfter, limits: defaultLimits(),
		records: make(map[drivers.Key]*record), groups: make(map[string]*group),
	}
}

// fail notes that the source could not be read. Nothing happens to its members.
func (t *tracker) fail() { t.failing = true }

// apply compares a poll with what was known.
func (t *tracker) apply(r *reading) *outcome {
	out := &outcome{rejected: make(map[string]int)}
	t.noteGap(r)
	t.admit(r, out)
	t.order = slices.DeleteFunc(t.order, func(rec *record) bool {
		keep := t.judge(rec, r, out)
		rec.row, rec.entry = nil, entryNone
		if !keep {
			delete(t.records, rec.member.Key())
			rec.gone, rec.next = true, nil
		}
		return !keep
	})
	t.count(r, out)
	t.gaps = t.gaps.prune(t, r)
	t.known, t.failing = true, false
	t.last, t.lastSeen, t.lastNow = r.start, r.seen, r.now
	return out
}

// admit finds the record of every row, makes those that are missing, and turns away rows that can't be used. Afterwards
// no two records have the same group and name, whatever the driver gave.
func (t *tracker) admit(r *reading, out *outcome) {
	known := len(t.order)
	t.met = make(map[string]bool)
	last := &t.head
	for i := range r.Members {
		last = t.admitRow(&r.Members[i], last, entryNone, out)
	}
	for i := range r.Unknown {
		last = t.admitRow(&r.Unknown[i], last, entryUnknown, out)
	}
	for _, rejection := range r.Rejected {
		out.rejected[rejectionReason(rejection.Reason)]++
		rec := t.records[drivers.Key{Group: rejection.Group, Name: rejection.Name}]
		if rec != nil && rec.row == nil {
			rec.entry = entryDamaged
		}
	}
	if len(t.order) > known {
		slices.SortFunc(t.order, byKey)
	}
}

// admitRow gives the record of a row, or the last one if the row can't be used. Rows nearly always come in the same order,
// so that the record is the one that came next after the last one before.
func (t *tracker) admitRow(m *drivers.Member, last *record, kind entry, out *outcome) *record {
	rec := last.next
	if rec == nil || rec.gone || rec.member.Key() != m.Key() {
		rec = t.records[m.Key()]
	}
	if rec == nil {
		if reason := t.refusal(m); reason != "" {
			out.rejected[reason]++
			return last
		}
		rec = &record{member: *m}
		t.records[m.Key()] = rec
		t.order = append(t.order, rec)
	}
	if rec.row != nil {
		out.rejected[rejectedDuplicate]++
	}
	if rec.row == nil || kind == rec.entry && better(m, rec.row) {
		rec.row, rec.entry = m, kind
	}
	last.next = rec
	return rec
}

// refusal says why a member can't be taken in that is not known, if so.
func (t *tracker) refusal(m *drivers.Member) string {
	switch {
	case !validName(m.Group) || !validName(m.Name):
		return rejectedName
	case t.full(m.Group):
		return rejectedLimit
	default:
		return ""
	}
}

// count numbers the living and the dead of each group. A group is remembered for a while after its last member has
// gone, so that what was observed about it is not lost before it was scraped.
func (t *tracker) count(r *reading, out *outcome) {
	for _, g := range t.groups {
		*g = group{emptied: g.emptied}
	}
	t.unknown, t.newest = 0, time.Time{}
	var g *group
	for i, rec := range t.order {
		if i == 0 || t.order[i-1].member.Group != rec.member.Group {
			g = t.groupOf(rec, out)
		}
		switch rec.shown() {
		case Up:
			g.up++
		case Down:
			g.down++
		default:
			g.unknown++
			t.unknown++
		}
		g.inDoubt = g.inDoubt || rec.inDoubt()
		if hb := rec.member.LastHeartbeat; hb.After(t.newest) && !hb.After(r.now.Add(r.DownTime)) {
			t.newest = hb
		}
	}
	for name, g := range t.groups {
		switch {
		case g.size() > 0:
		case g.emptied.isZero():
			g.emptied = r.seen
		case r.seen.sub(g.emptied) >= t.forgetAfter:
			delete(t.groups, name)
			out.goneGroups = append(out.goneGroups, name)
		}
	}
}

// groupOf gives the group of a member, which has at least this one.
func (t *tracker) groupOf(rec *record, out *outcome) *group {
	g := t.groups[rec.member.Group]
	if g == nil {
		g = &group{}
		t.groups[rec.member.Group] = g
		out.newGroups = append(out.newGroups, rec.member.Group)
	}
	g.emptied = instant{}
	return g
}

// members gives what is known of every member.
func (t *tracker) members(readable bool) []MemberState {
	states := make([]MemberState, len(t.order))
	for i, rec := range t.order {
		states[i] = MemberState{
			Member: rec.member, Fenced: rec.fenced, Since: rec.since.wall, Transitions: rec.transitions,
		}
		if readable {
			states[i].State, states[i].InDoubt = rec.shown(), rec.inDoubt()
		}
	}
	return states
}
