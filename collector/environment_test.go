package collector

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTheClockOfThisMachineAdvances(t *testing.T) {
	now := newClock()
	first := now()
	second := now()
	require.GreaterOrEqual(t, second.Sub(first), time.Duration(0))
	require.Equal(t, second.Wall.Sub(first.Wall), second.Sub(first))
}
