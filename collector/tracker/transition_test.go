package tracker

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Every pair of what was and what is found has its event: the table in the comment of decide.
func TestDecide(t *testing.T) {
	const leave, forgotten, none = EventLeave, EventForgotten, noEvent
	for before, events := range map[standing][]EventType{
		//           up             forced           silent      excused    unreadable left       expired
		unseen:      {EventJoin, EventJoin, EventJoin, EventJoin, EventJoin, EventJoin, EventJoin},
		undecided:   {none, none, none, none, none, leave, forgotten},
		alive:       {none, EventForcedDown, EventDeath, none, none, leave, forgotten},
		dead:        {EventRecovery, none, none, none, none, leave, forgotten},
		deadByForce: {EventForcedUp, none, none, none, none, leave, forgotten},
	} {
		for now, want := range events {
			require.Equal(t, want, decide(before, finding(now)), "before %d, now %d", before, now)
		}
		require.Len(t, events, int(foundExpired)+1)
	}
}
