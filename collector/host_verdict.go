package collector

import (
	"cmp"
	"slices"
	"strings"
)

// A Certainty is how sure it is that a host is down.
type Certainty string

// The certainties: a closed set.
const (
	// Suspected means that no member on the host is down by the rule of its service: see [hosts.State.IsSuspected].
	Suspected Certainty = "suspected"
	// Confirmed means that one is.
	Confirmed Certainty = "confirmed"
)

// Verdict returns [Down] if the host is down: see [hosts.State.IsDown]. It returns [Up] only if a member on it proves that: one
// that is up and not late, in a source that was read recently. Otherwise it returns [Unknown].
func (h *Host) Verdict() State {
	if h.IsDown() {
		return Down
	}
	for i := range h.Members {
		if m := &h.Members[i]; m.State == Up && !m.IsSilent() && !m.Source.Stale {
			return Up
		}
	}
	return Unknown
}

// Certainty returns how sure it is that the host is down, empty if it is not down.
func (h *Host) Certainty() Certainty {
	switch {
	case !h.IsDown():
		return ""
	case h.IsSuspected():
		return Suspected
	default:
		return Confirmed
	}
}

// IsCurrent reports whether all sources of the host's members can be read and were read recently.
func (h *Host) IsCurrent() bool {
	for i := range h.Members {
		if s := h.Members[i].Source; !s.Readable || s.Stale {
			return false
		}
	}
	return true
}

// CompareHosts puts hosts that are down first, and those that are unknown second.
func CompareHosts(a, b Host) int {
	states := []State{Down, Unknown, Up}
	return cmp.Compare(slices.Index(states, a.Verdict()), slices.Index(states, b.Verdict()))
}

// A HostFilter selects hosts. An empty field matches every host.
type HostFilter struct {
	Name, Zone string
	State      string // the text of a [State]
	Certainty  string // a [Certainty]
	Text       string // a part of the name, the zone, or the name of a member, in lower case
}

// Matches reports whether the filter selects a host.
func (f *HostFilter) Matches(h *Host) bool {
	return (f.Name == "" || f.Name == h.Name) && (f.Zone == "" || f.Zone == h.Zone) &&
		(f.State == "" || f.State == h.Verdict().String()) && (f.Certainty == "" || f.Certainty == string(h.Certainty())) &&
		f.mentions(h)
}

func (f *HostFilter) mentions(h *Host) bool {
	if f.Text == "" {
		return true
	}
	has := func(text string) bool { return strings.Contains(strings.ToLower(text), f.Text) }
	if has(h.Name) || has(h.Zone) {
		return true
	}
	for i := range h.Members {
		if has(h.Members[i].Name) {
			return true
		}
	}
	return false
}

// A HostCount is how many hosts there are.
type HostCount struct {
	// Total is the number of hosts. Each is in exactly one of Up, Down and Unknown: see [Host.Verdict].
	Total, Up, Down, Unknown int
	// Suspected are those among Down that are not confirmed.
	Suspected int
	// Known are those on which several services are known. Only they can be down.
	Known int
}

// CountHosts counts hosts.
func CountHosts(all []Host) HostCount {
	c := HostCount{Total: len(all)}
	for i := range all {
		h := &all[i]
		switch h.Verdict() {
		case Down:
			c.Down++
		case Up:
			c.Up++
		default:
			c.Unknown++
		}
		if h.IsSuspected() {
			c.Suspected++
		}
		if h.IsKnown() {
			c.Known++
		}
	}
	return c
}

// MostDown reports whether more than half of the hosts are down that can be.
func (c *HostCount) MostDown() bool { return 2*c.Down > c.Known }
