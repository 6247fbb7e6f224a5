package collector

import (
	"errors"
	"fmt"
	"time"

	"servicegroup_exporter/drivers"
)

// memoryVersion is the version of the file format. A file of a later version is not understood, one of an earlier
// version would be converted here.
const memoryVersion = 1

// A memory is what a tracker writes down, so that who died while the exporter was not running is found dead, and who
// was dead is not new.
type memory struct {
	Version     int              `json:"version"`
	Source      string           `json:"source"`
	LastPoll    time.Time        `json:"last_poll"`               // by this machine's clock
	LastPollNow time.Time        `json:"last_poll_backend_clock"` // the same as LastPoll where the backend has no clock
	Gaps        []rememberedGap  `json:"gaps,omitempty"`
	Members     []rememberedName `json:"members"`
}

type rememberedGap struct {
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	Ended time.Time `json:"ended"`
}

type rememberedName struct {
	Group          string          `json:"group"`
	Name           string          `json:"name"`
	Binary         string          `json:"binary,omitempty"`
	Zone           string          `json:"zone,omitempty"`
	UUID           string          `json:"uuid,omitempty"`
	Version        string          `json:"version,omitempty"`
	DisabledReason string          `json:"disabled_reason,omitempty"`
	State          string          `json:"state"`
	Held           bool            `json:"held,omitempty"`
	Fenced         bool            `json:"fenced,omitempty"`
	Rostered       bool            `json:"rostered,omitempty"`
	Enabled        drivers.Flag    `json:"enabled,omitempty"`
	ForcedDown     drivers.Flag    `json:"forced_down,omitempty"`
	Since          time.Time       `json:"since"`
	Transitions    uint64          `json:"transitions,omitempty"`
	Heartbeat      time.Time       `json:"heartbeat,omitzero"`
	Died           time.Time       `json:"died,omitzero"`
	LastUp         time.Time       `json:"last_up,omitzero"` // where it is not the last poll
	SessionTimeout time.Duration   `json:"session_timeout_ns,omitempty"`
	Silent         time.Duration   `json:"silent_ns,omitempty"`
	HasSilent      bool            `json:"has_silent,omitempty"`
	Blind          entry           `json:"blind,omitempty"`
	BlindFrom      time.Time       `json:"blind_from,omitzero"`
	Gaps           []rememberedGap `json:"gaps,omitempty"`
}

// check refuses a memory that no tracker can have written.
func (m *memory) check(source string) error {
	switch {
	case m.Version != memoryVersion:
		return fmt.Errorf("version %d is not understood, only %d is", m.Version, memoryVersion)
	case m.Source != source:
		return fmt.Errorf("it is the memory of source %q", m.Source)
	case m.LastPoll.IsZero() || m.LastPollNow.IsZero():
		return errors.New("it has no time of the last poll")
	}
	seen := make(map[drivers.Key]bool, len(m.Members))
	for i := range m.Members {
		r := &m.Members[i]
		key := drivers.Key{Group: r.Group, Name: r.Name}
		if seen[key] || !r.valid() {
			return fmt.Errorf("member %d (group %q, name %q) is damaged", i+1, r.Group, r.Name)
		}
		seen[key] = true
	}
	return nil
}

// valid tells whether a tracker can have written this.
func (r *rememberedName) valid() bool {
	return validName(r.Group) && validName(r.Name) && !r.Since.IsZero() &&
		stateOf(r.State).String() == r.State &&
		(!r.Fenced || r.ForcedDown == drivers.FlagYes && stateOf(r.State) == Down) &&
		r.Blind <= entryDamaged && (r.Blind == entryNone) == r.BlindFrom.IsZero()
}
