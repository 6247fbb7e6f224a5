package tracker

import (
	"slices"
	"time"
)

// savedBeats is what a [Tracker] saves of a member's heartbeats.
type savedBeats struct {
	Gaps           []uint32  `json:"gaps_ms,omitempty"`
	Probation      uint8     `json:"probation,omitempty"`
	SuspectedSince time.Time `json:"suspected_since,omitzero"`
	SilentSince    time.Time `json:"silent_since,omitzero"`
	Confirmed      bool      `json:"confirmed,omitempty"`
}

func (b *beats) save() *savedBeats {
	if b == nil {
		return nil
	}
	s := &savedBeats{Gaps: slices.Clone(b.gaps.newest(maxGaps)), Probation: b.probation}
	if b.suspicion != nil {
		s.SuspectedSince, s.SilentSince, s.Confirmed = b.suspicion.since, b.suspicion.silentSince, b.suspicion.confirmed
	}
	return s
}

// valid reports whether a Tracker can have saved this of a member in a state. Only a member that is up is suspected.
func (s *savedBeats) valid(state State) bool {
	suspected := !s.SuspectedSince.IsZero()
	return len(s.Gaps) <= maxGaps && s.Probation <= regularAgain && suspected == !s.SilentSince.IsZero() &&
		(suspected || !s.Confirmed) && (!suspected || state == Up)
}

// restore returns what was saved. No time in which this program did not run is a silence.
func (s *savedBeats) restore(now Instant) *beats {
	if s == nil {
		return nil
	}
	b := &beats{restored: true, probation: s.Probation}
	b.gaps.n = uint8(copy(b.gaps.ms[:], s.Gaps))
	b.interval = b.gaps.interval(b.gaps.median())
	if !s.SuspectedSince.IsZero() {
		b.suspicion = &suspicion{
			since: now.atPast(s.SuspectedSince).Wall, silentSince: now.atPast(s.SilentSince).Wall, confirmed: s.Confirmed,
		}
	}
	return b
}
