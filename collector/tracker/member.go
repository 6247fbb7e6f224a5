package tracker

import (
	"cmp"
	"strings"
	"time"
	"unicode/utf8"

	"servicegroup_exporter/drivers"
)

// State is the state of a member.
type State uint8

// The states.
const (
	// Unknown is the state of a member whose source or entry can't be read, and of a member in grace: it has given no
	// proof of life since an outage of its source, but has not had the time to.
	Unknown State = iota
	Up
	Down
)

// String returns the state as a word: unknown, up or down.
func (s State) String() string {
	switch s {
	case Up:
		return "up"
	case Down:
		return "down"
	default:
		return "unknown"
	}
}

// stateOf returns the state that a word means, Unknown if none.
func stateOf(word string) State {
	for _, s := range []State{Up, Down} {
		if s.String() == word {
			return s
		}
	}
	return Unknown
}

// A Member is what a [Tracker] knows of one member. Only the Tracker changes it.
type Member struct {
	drivers.Member // as last seen

	// Fenced reports that the member is forced down and was dead before, as a fencing agent leaves it. A member that was
	// up when it was forced down, or that was forced down when it was first seen, is out of service on purpose.
	Fenced bool
	// Since is when this program saw the last change of state, or first saw the member.
	Since Instant
	// Transitions is the number of deaths and recoveries seen.
	Transitions uint64

	state   State // by the last poll with a verdict; Unknown until there was one
	inGrace bool  // it was up and looks dead after an outage, so that its state stays what it was: see outage.go
	outages int   // how many outages have ended since it was last up

	heartbeat time.Time // the newest heartbeat ever seen, by the backend's clock
	lastUp    Instant   // when the last poll that found it up was begun

	// silent is how long a member that died had given no proof of life at the time Since.
	silent    time.Duration
	hasSilent bool
	down      *downTime // nil: its last verdict is not that it is down

	decision      *Decision // that it is down; nil: it is not
	beats         *beats    // nil: no heartbeat was seen
	disabledSince time.Time // zero: it is enabled
	forcedSince   time.Time // zero: it is not forced down
	changes       []Instant // its last deaths and recoveries, at most flapMost+1

	unreadable      entry     // why the last poll had no verdict; entryVerdict: it had one
	unreadableSince time.Time // by the backend's clock
	unreadableSpans outages   // times in which the source could be read but this member could not

	row   *drivers.Member // its row in the poll being observed, nil: none
	entry entry           // what that poll has of it
	next  *Member         // the member of the row that came after its row in the last poll
	gone  bool            // it was forgotten, and is still the next of another member
}

// An entry is what a poll has of a member.
type entry uint8

// Their numbers are written to state files.
const (
	entryVerdict entry = iota // a verdict, or nothing at all
	entryUnknown              // the backend can't tell
	entryDamaged              // what the backend has can't be used
)

// State returns the state of the member, as long as its source can be read.
func (m *Member) State() State {
	if m.inGrace || m.unreadable != entryVerdict {
		return Unknown
	}
	return m.state
}

// InDoubt reports whether the state is unknown and the member may be up, so that counts of its group would be wrong
// without it. It is false for a member whose entry is damaged: the damage may last, and must not hide what happens to the
// group.
func (m *Member) InDoubt() bool { return m.inGrace || m.unreadable == entryUnknown }

func (m *Member) isNew() bool { return m.Since.IsZero() }

func (m *Member) forced() bool { return m.ForcedDown == drivers.FlagYes }

// update takes over the member's row; now is the backend's clock.
func (m *Member) update(row *drivers.Member, now time.Time) {
	wasForced := m.forced()
	m.Member = tidy(*row)
	// A fencing agent forces down members that are dead. That is no maintenance, and stays so until the force ends.
	m.Fenced = m.forced() && (m.Fenced || m.state == Down && !wasForced)
	seen := m.LastHeartbeat
	switch {
	case seen.IsZero():
		// A key that expires takes its time with it. The heartbeat that was known is still the last proof of life.
		m.LastHeartbeat = m.heartbeat
	case seen.After(m.heartbeat):
		m.heartbeat = seen
	case row.Up && m.heartbeat.After(now):
		// The member's clock was ahead and has been corrected. Its earlier time was not the time of a heartbeat.
		m.heartbeat = seen
	}
}

// turn changes the state.
func (m *Member) turn(to State, at Instant) {
	m.state, m.Since, m.inGrace, m.outages = to, at, false, 0
	m.Up = to == Up
	m.silent, m.hasSilent, m.down = 0, false, nil
}

// tidy makes attributes valid values of labels, and drops times that can't be written to a state file. It leaves names
// alone: a member whose name can't be a label is rejected.
func tidy(m drivers.Member) drivers.Member {
	for _, t := range []*time.Time{&m.LastHeartbeat, &m.Died} {
		if year := t.Year(); year < 1 || year > 9999 {
			*t = time.Time{}
		}
	}
	for _, s := range []*string{&m.Binary, &m.Zone, &m.UUID, &m.Version, &m.DisabledReason} {
		*s = Shorten(strings.ToValidUTF8(*s, "\uFFFD"), drivers.MaxText)
	}
	return m
}

// Shorten returns a text of at most limit bytes. A text that was cut ends in "…".
func Shorten(s string, limit int) string {
	const mark = "…"
	if len(s) <= limit {
		return s
	}
	end := limit - len(mark)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + mark
}

// validName reports whether a group or member can be named in a label.
func validName(s string) bool { return s != "" && len(s) <= drivers.MaxText && utf8.ValidString(s) }

// isShort reports whether a name is not longer than the limit for names.
func (t *Tracker) isShort(name string) bool {
	return t.opts.NameLimit <= 0 || len(name) <= t.opts.NameLimit
}

// better reports which of two rows for one member counts, whatever their order: a row that says up, then the fresher one.
func better(a, b *drivers.Member) bool {
	if a.Up != b.Up {
		return a.Up
	}
	return a.LastHeartbeat.After(b.LastHeartbeat)
}

// Compare orders members by group and name.
func Compare(a, b *Member) int {
	return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Name, b.Name))
}
