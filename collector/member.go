package collector

import (
	"cmp"
	"strings"
	"time"
	"unicode/utf8"

	"servicegroup_exporter/drivers"
)

// A record is what the tracker knows of one member.
type record struct {
	member drivers.Member // as last seen
	state  State          // Unknown only until the first verdict
	// held marks a member that was up and looks dead after a time in which it could not be seen: see outage.go. Its
	// state stays what it was.
	held bool
	// outages is how many times it could not be seen have ended since it was last up.
	outages int
	// fenced marks a member that is forced down and was dead before. See [MemberState.Fenced].
	fenced      bool
	since       instant // when the last change of state, or the member itself, was first seen
	transitions uint64

	heartbeat time.Time // the newest heartbeat ever seen, by the backend's clock
	lastUp    instant   // when the last poll that found it up began

	// silent is how long the member had given no proof of life at the time since, for members that died.
	silent    time.Duration
	hasSilent bool

	blind     entry // what polls have of the member instead of a verdict, since blindFrom by the backend's clock
	gaps      gaps  // when it could not be seen although its source could
	blindFrom time.Time

	row    *drivers.Member // what the poll being applied says of it, nil: nothing
	entry  entry           // what it has in place of a row
	next   *record         // the record of the row that came after its row in the last poll
	gone   bool            // it was forgotten, and is only still there as the next of another
	series *memberSeries   // how it was last rendered
}

// An entry is what a poll may have of a member in place of a verdict.
type entry uint8

const (
	entryNone    entry = iota
	entryUnknown       // the backend can't say
	entryDamaged       // what it says can't be used
)

func (r *record) isNew() bool { return r.since.isZero() }

func (r *record) forced() bool { return r.member.ForcedDown == drivers.FlagYes }

// shown is the state that the world may see.
func (r *record) shown() State {
	if r.held || r.blind != entryNone {
		return Unknown
	}
	return r.state
}

// inDoubt tells whether the member may well be up although it can't be counted. One whose entry is damaged may stay so
// for ever; its group is not to wait for it.
func (r *record) inDoubt() bool { return r.held || r.blind == entryUnknown }

// update takes over what a poll says of the member; now is the backend's clock.
func (r *record) update(m *drivers.Member, now time.Time) {
	wasForced := r.forced()
	r.member = tidy(*m)
	// A fencing agent forces down who is dead. That is no maintenance, and holds until the force ends.
	r.fenced = r.forced() && (r.fenced || r.state == Down && !wasForced)
	hb := r.member.LastHeartbeat
	switch {
	case hb.IsZero():
		// A key that is gone takes its time with it. What was known is still the last proof of life.
		r.member.LastHeartbeat = r.heartbeat
	case hb.After(r.heartbeat):
		r.heartbeat = hb
	case m.Up && r.heartbeat.After(now):
		// The member's clock was ahead and has been put right: what it said before was no time of a heartbeat.
		r.heartbeat = hb
	}
}

// turn changes the state.
func (r *record) turn(to State, seen instant) {
	r.state, r.since, r.held, r.outages = to, seen, false, 0
	r.member.Up = to == Up
	r.silent, r.hasSilent = 0, false
}

// tidy makes attributes fit to be labels, and drops times that can't be written down. Names are not touched: a member
// whose name can't be a label is rejected.
func tidy(m drivers.Member) drivers.Member {
	for _, t := range []*time.Time{&m.LastHeartbeat, &m.Died} {
		if year := t.Year(); year < 1 || year > 9999 {
			*t = time.Time{}
		}
	}
	for _, s := range []*string{&m.Binary, &m.Zone, &m.UUID, &m.Version, &m.DisabledReason} {
		*s = shorten(strings.ToValidUTF8(*s, "\uFFFD"), drivers.MaxText)
	}
	return m
}

// validName tells whether a group or member can be named in a label.
func validName(s string) bool { return s != "" && len(s) <= drivers.MaxText && utf8.ValidString(s) }

// better tells which of two rows for one member is to be believed, whatever their order: one that says it is up, then
// the fresher one.
func better(a, b *drivers.Member) bool {
	if a.Up != b.Up {
		return a.Up
	}
	return a.LastHeartbeat.After(b.LastHeartbeat)
}

func byKey(a, b *record) int {
	return cmp.Or(cmp.Compare(a.member.Group, b.member.Group), cmp.Compare(a.member.Name, b.member.Name))
}
