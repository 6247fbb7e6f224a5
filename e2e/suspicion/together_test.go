package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Up to a quarter of a source may die at once and is suspected. More look like a stall, and are down by the service's own rule.
func TestDeathsTogether(t *testing.T) {
	for _, deaths := range togethers() {
		for _, test := range []struct {
			polls  schedule
			median time.Duration
		}{
			{schedule{interval: time.Second}, 22 * time.Second},
			{schedule{interval: 5 * time.Second}, 24 * time.Second},
			{schedule{interval: 15 * time.Second}, 29 * time.Second},
			{schedule{interval: 15 * time.Second, extra: true}, 24 * time.Second},
		} {
			took, suspected := deaths.known(20, test.polls)
			require.Len(t, took, 20*deaths.dead)
			if deaths.isMany() {
				require.Less(t, suspected, len(took)/10, "%+v, %+v", deaths, test.polls)
				require.LessOrEqual(t, quantile(took, 1), downTime+test.polls.interval+time.Second, "%+v, %+v", deaths, test.polls)
				continue
			}
			require.Greater(t, suspected, len(took)*9/10, "%+v, %+v", deaths, test.polls)
			require.LessOrEqual(t, median(took), test.median, "%+v, %+v", deaths, test.polls)
		}
	}
}
