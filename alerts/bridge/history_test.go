package bridge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"servicegroup_exporter/drivers"
)

// A history is what happens, minute by minute, to members of a few groups, to the backends that have them, and to the one or two
// exporters that read these.
type history struct {
	seed      uint64
	exporters int
	members   []memberName // in the backends at the start, up and in service
	events    []happening  // in the order of time
}

type memberName struct{ source, group, name string }

// A happening is what happens at the beginning of a minute.
type happening struct {
	minute int
	what   what
	// The fields below say to what: to a member, to a group, to a source or to an exporter.
	memberName
	exporter int // as one exporter sees it; all of them: [all]
}

// all stands for all exporters.
const all = -1

// A what is something that happens.
type what string

const (
	joins        what = "joins"
	dies         what = "dies"
	hangs        what = "sends no heartbeats"
	recovers     what = "recovers"
	leaves       what = "leaves"
	disabled     what = "is disabled by an operator"
	autoDisabled what = "is disabled by itself"
	enabled      what = "is enabled"
	forced       what = "is forced down"
	unforced     what = "is no longer forced down"
	damaged      what = "has a damaged row"
	unknown      what = "is unknown to the backend"
	repaired     what = "has a good row again"
	cantBeRead   what = "can't be read"
	canBeRead    what = "can be read again"
	looksWrong   what = "looks wrong"
	looksRight   what = "looks right again"

	stops    what = "stops"
	starts   what = "starts"
	forgets  what = "loses its state"
	replaced what = "gets another instance name"
	removed  what = "leaves service discovery"
	added    what = "is in service discovery again"
)

func (h *happening) String() string {
	about := strings.Trim(fmt.Sprintf("%s/%s/%s", h.source, h.group, h.name), "/")
	switch {
	case about == "":
		about = fmt.Sprintf("exporter %d", h.exporter+1)
	case h.exporter != all:
		about += fmt.Sprintf(" for exporter %d", h.exporter+1)
	}
	return fmt.Sprintf("minute %3d: %s %s", h.minute, about, h.what)
}

func (h *history) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "history %d: %d exporters, with", h.seed, h.exporters)
	for _, m := range h.members {
		fmt.Fprintf(&b, " %s/%s/%s", m.source, m.group, m.name)
	}
	for i := range h.events {
		fmt.Fprintf(&b, "\n  %s", &h.events[i])
	}
	return b.String()
}

// A backend is a source as the exporters find it.
type backend struct {
	heartbeats bool // otherwise members have sessions
	rows       map[drivers.Key]*row
	lost       []bool // by exporter
	wrong      []bool // by exporter: it has a problem
}

// A row is a member of a backend.
type row struct {
	drivers.Member

	alive bool
	hung  bool   // it sends no heartbeats, and is up until the last one is too old
	seen  []what // by exporter: damaged, unknown, or anything else
}

func newBackend(source string, exporters int) *backend {
	return &backend{heartbeats: hasHeartbeats(source), rows: map[drivers.Key]*row{}, lost: make([]bool, exporters), wrong: make([]bool, exporters)}
}

// hasHeartbeats returns whether the members of a source have heartbeats and can be disabled, as in Nova's database; otherwise
// they have sessions, as in ZooKeeper.
func hasHeartbeats(source string) bool { return source == "nova" }

// historyTimeout is the heartbeat timeout. A member that reports with each poll, every minute, is suspected before.
const historyTimeout = 5 * time.Minute

// errLost is why a backend can't be read.
var errLost = drivers.Unavailable(drivers.ReasonConnect, errors.New("connection refused"))

// happen takes in what happens to a member, a group or the whole source.
func (b *backend) happen(h *happening, now time.Time) {
	if h.group == "" {
		for exporter := range b.lost {
			switch {
			case h.exporter != all && h.exporter != exporter:
			case h.what == looksWrong || h.what == looksRight:
				b.wrong[exporter] = h.what == looksWrong
			default:
				b.lost[exporter] = h.what == cantBeRead
			}
		}
		return
	}
	if key := (drivers.Key{Group: h.group, Name: h.name}); h.what == joins && b.rows[key] == nil {
		r := &row{seen: make([]what, len(b.lost))}
		r.Group, r.Name, r.Rostered, r.alive = h.group, h.name, true, true
		if b.heartbeats {
			r.Enabled, r.ForcedDown, r.Binary, r.Zone = drivers.FlagYes, drivers.FlagNo, "nova-"+h.group, "az1"
		}
		b.rows[key] = r
	}
	for key, r := range b.rows {
		if key.Group == h.group && (h.name == "" || key.Name == h.name) {
			r.happen(h, now)
			if h.what == leaves {
				delete(b.rows, key)
			}
		}
	}
}

func (r *row) happen(h *happening, now time.Time) {
	switch h.what {
	case dies:
		if r.alive {
			r.alive, r.LastHeartbeat = false, now
		}
	case hangs:
		if r.alive && !r.hung {
			r.hung, r.LastHeartbeat = true, now
		}
	case recovers:
		r.alive, r.hung = true, false
	case disabled, autoDisabled, enabled:
		r.Enabled, r.DisabledReason = drivers.FlagOf(h.what == enabled), ""
		if h.what == autoDisabled {
			r.DisabledReason = "AUTO: Connection to libvirt lost"
		}
	case forced, unforced:
		r.ForcedDown = drivers.FlagOf(h.what == forced)
	case damaged, unknown, repaired, cantBeRead, canBeRead:
		for exporter := range r.seen {
			if h.exporter == all || h.exporter == exporter {
				r.seen[exporter] = h.what
			}
		}
	default:
	}
}

// poll returns what an exporter reads.
func (b *backend) poll(exporter int) (*drivers.Poll, error) {
	if b.lost[exporter] {
		return nil, errLost
	}
	now := time.Now()
	p := &drivers.Poll{DownTime: time.Minute}
	if b.heartbeats {
		p.Now, p.DownTime = now, historyTimeout
	}
	if b.wrong[exporter] {
		p.Problems = []drivers.Problem{{Kind: drivers.ProblemUnmatched, Detail: "x"}, {Kind: drivers.ProblemAbsent, Group: "a", Detail: "x"}, {Kind: drivers.ProblemAbsent, Group: "b", Detail: "x"}}
	}
	for _, r := range b.rows {
		m := r.Member
		isHung := b.heartbeats && r.hung
		m.Up = r.alive && m.ForcedDown != drivers.FlagYes && !(isHung && now.Sub(r.LastHeartbeat) > historyTimeout)
		switch {
		case !b.heartbeats:
			m.LastHeartbeat = time.Time{}
		case r.alive && !r.hung:
			m.LastHeartbeat = now
		}
		switch r.seen[exporter] {
		case damaged:
			p.Rejected = append(p.Rejected, drivers.Rejection{Group: m.Group, Name: m.Name, Reason: "data"})
		case unknown, cantBeRead:
			p.Unknown = append(p.Unknown, m)
		default:
			p.Members = append(p.Members, m)
		}
	}
	slices.SortFunc(p.Members, func(a, b drivers.Member) int { return strings.Compare(a.Group+" "+a.Name, b.Group+" "+b.Name) })
	return p, nil
}

// A backendDriver is the driver of one exporter for a backend.
type backendDriver struct {
	backend  *backend
	exporter int
}

func (d backendDriver) Members(context.Context) (*drivers.Poll, error) {
	return d.backend.poll(d.exporter)
}
func (backendDriver) Close() error { return nil }
