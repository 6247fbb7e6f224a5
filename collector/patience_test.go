package collector

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The timeout of a waiter counts for later polls as long as waiters with it may come again.
func TestPatience(t *testing.T) {
	var p patience
	require.Zero(t, p.longest(t0))
	p.note(t0, sec)
	require.Equal(t, sec, p.longest(t0))
	p.note(t0, 9*sec)
	p.note(t0.Add(mins), 2*sec)
	require.Equal(t, 9*sec, p.longest(t0.Add(waiterMemory)))
	require.Zero(t, p.longest(t0.Add(waiterMemory+ms)))
	p.note(t0.Add(waiterMemory+ms), 2*sec)
	require.Equal(t, 2*sec, p.longest(t0.Add(waiterMemory+ms)))
	p.note(t0.Add(waiterMemory+mins), 2*sec)
	require.Equal(t, 2*sec, p.longest(t0.Add(2*waiterMemory+mins)), "the same waiter comes again")
}
