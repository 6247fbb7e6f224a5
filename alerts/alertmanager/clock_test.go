package alertmanager

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// resolution is the maximum error of the estimate: a second, and some drift.
const resolution = time.Second + 10*time.Millisecond

// Times are posted by the Alertmanager's clock: an alert keeps its age, never starts in the future, and does not end later than
// now.
func TestClocks(t *testing.T) {
	for _, offset := range []time.Duration{
		0, time.Hour, -time.Hour, 3 * time.Second, -3 * time.Second, 800 * time.Millisecond, -800 * time.Millisecond, 24 * 365 * time.Hour,
	} {
		t.Run(offset.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fake{offset: offset}
				r := newTestClient(t, f, nil)
				defer r.run()()
				a := alertOf("m1")
				a.Start = time.Now().Add(-20 * time.Second)
				for range 20 {
					r.Send(a)
					time.Sleep(7 * time.Second / 3)
				}
				fresh := alertOf("m2")
				r.Send(fresh, resolved(a, time.Now()), resolved(fresh, time.Now()))
				synctest.Wait()

				accepted, at := f.accepted(), f.times()
				for i, got := range accepted[:20] {
					require.WithinDuration(t, a.Start.Add(offset), got.Start, resolution)
					require.WithinDuration(t, at[i+1].Add(offset+30*time.Second), got.End, resolution)
				}
				for _, got := range accepted[20:] {
					require.False(t, got.End.After(f.now()), "Alertmanager ignores an end in its future")
					require.WithinDuration(t, f.now(), got.End, resolution)
					require.True(t, got.Start.Before(got.End), "Alertmanager refuses an alert that ends before it starts")
				}
				require.InDelta(t, offset.Seconds(), r.value("notifications_alertmanager_clock_offset_seconds"), resolution.Seconds())
				if offset == 0 {
					require.Equal(t, a.Start.UTC(), accepted[0].Start, "times are not changed while both clocks are equal")
					require.InDelta(t, 0, r.value("notifications_alertmanager_clock_offset_seconds"), 0)
				}
			})
		})
	}
}

// If this machine's clock was set and an alert therefore starts in the future, it is posted as starting now.
func TestStartInTheFuture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		r := newTestClient(t, f, nil)
		defer r.run()()
		a := alertOf("m1")
		a.Start = time.Now().Add(time.Hour).Round(0)
		r.Send(a)
		synctest.Wait()
		require.Equal(t, f.now(), f.accepted()[0].Start)
	})
}

// The first post is preceded by a request that shows the Alertmanager's clock, even if that request fails.
func TestClockIsKnownBeforeTheFirstPost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{offset: -time.Hour}
		r := newTestClient(t, f, nil)
		f.answers = func(q *http.Request) *http.Response {
			if q.Method == http.MethodGet {
				return f.answer(http.StatusNotFound, "there is no such page")
			}
			return f.answer(http.StatusOK, "")
		}
		r.Send(alertOf("m1"))
		defer r.run()()
		synctest.Wait()
		require.Equal(t, []string{status, post}, f.requests)
		require.InDelta(t, -3600, r.value("notifications_alertmanager_clock_offset_seconds"), resolution.Seconds())
	})
}

// The estimate improves with each answer, and follows at once when the clock is set.
func TestClockBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClock()
		offset := 10*time.Second + 345*time.Millisecond
		answer := func() {
			sent := time.Now()
			time.Sleep(5 * time.Millisecond)
			date := time.Now().Add(offset).Truncate(time.Second)
			time.Sleep(5 * time.Millisecond)
			c.observe(date, sent, time.Now())
		}
		require.Equal(t, time.Now().UTC(), c.sample(time.Now()).now.UTC(), "no answer yet")
		answer()
		r := c.sample(time.Now())
		require.InDelta(t, offset.Seconds(), r.offset.Seconds(), 1)
		require.LessOrEqual(t, r.earliest, time.Now().Add(offset))
		for range 50 {
			time.Sleep(2130 * time.Millisecond)
			answer()
			r = c.sample(time.Now())
			require.LessOrEqual(t, r.earliest, time.Now().Add(offset))
		}
		require.InDelta(t, offset.Seconds(), r.offset.Seconds(), 0.1)
		require.WithinDuration(t, time.Now().Add(offset), r.earliest, 100*time.Millisecond)

		offset = -time.Hour
		answer()
		require.InDelta(t, -3600, c.sample(time.Now()).offset.Seconds(), 1)
		time.Sleep(time.Hour)
		low, high := c.bounds(time.Now())
		require.InDelta(t, 1+2*1.8, (high - low).Seconds(), 0.02, "clocks drift apart")
	})
}
