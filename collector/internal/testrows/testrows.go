// Package testrows writes the rows of polls as words, for the tests of the tracker and the collector.
package testrows

import (
	"strings"
	"time"

	"servicegroup_exporter/drivers"
)

// Start returns when the histories of tests begin, which is when the fake time of testing/synctest does.
func Start() time.Time { return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }

// Parse returns the rows of a poll for words like "a:up:beat=10s:rostered h/b:down". Without a name before the slash, the
// group is "g". The times of heartbeats and deaths are relative to [Start].
func Parse(words string) []drivers.Member {
	var members []drivers.Member
	for word := range strings.FieldsSeq(words) {
		members = append(members, row(word))
	}
	return members
}

func row(word string) drivers.Member {
	parts := strings.Split(word, ":")
	m := drivers.Member{Group: "g", Name: parts[0]}
	if group, name, ok := strings.Cut(parts[0], "/"); ok {
		m.Group, m.Name = group, name
	}
	for _, part := range parts[1:] {
		attr, val, _ := strings.Cut(part, "=")
		set, ok := map[string]func(){
			"up":       func() { m.Up = true },
			"down":     func() { m.Up = false },
			"rostered": func() { m.Rostered = true },
			"forced":   func() { m.ForcedDown = drivers.FlagYes },
			"unforced": func() { m.ForcedDown = drivers.FlagNo },
			"disabled": func() { m.Enabled = drivers.FlagNo },
			"enabled":  func() { m.Enabled = drivers.FlagYes },
			"beat":     func() { m.LastHeartbeat = Start().Add(duration(val)) },
			"died":     func() { m.Died = Start().Add(duration(val)) },
			"session":  func() { m.SessionTimeout = duration(val) },
			"binary":   func() { m.Binary = val },
			"zone":     func() { m.Zone = val },
			"uuid":     func() { m.UUID = val },
			"version":  func() { m.Version = val },
			"reason":   func() { m.DisabledReason = val },
			"auto":     func() { m.DisabledReason = "AUTO: " + val },
		}[attr]
		if !ok {
			panic("testrows: unknown attribute " + part)
		}
		set()
	}
	return m
}

func duration(s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		panic(err)
	}
	return d
}
