package tracker

import "time"

// Suspicion is how members are suspected.
type Suspicion struct {
	Enabled bool
	// Margin is how much longer than one and a half of its reporting intervals a member may be silent.
	Margin time.Duration
}
