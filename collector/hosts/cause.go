package hosts

import "time"

// A Cause is why a member is down, as far as the other members of its host show.
type Cause string

// The causes: a closed set.
const (
	// CauseProcess means that the process died and its host did not: another member on the host reported after the member
	// would have reported again.
	CauseProcess Cause = "process"
	// CauseHost means that the host is down: see [State.IsDown].
	CauseHost Cause = "host"
	// CauseUnknown means that no other member on the host shows which of the two it is, or none has yet.
	CauseUnknown Cause = "unknown"
)

// Causes returns all causes.
func Causes() []Cause { return []Cause{CauseProcess, CauseHost, CauseUnknown} }

// CauseOf returns why a member is down whose last proof of life was at some time, and which would have given the next one within
// expected. The newest proof of life of all other members on its host is reported, zero if there is none.
func CauseOf(host *State, since time.Time, expected time.Duration, reported time.Time) Cause {
	switch {
	case host.IsDown():
		return CauseHost
	case reported.After(since.Add(expected)):
		return CauseProcess
	default:
		return CauseUnknown
	}
}
