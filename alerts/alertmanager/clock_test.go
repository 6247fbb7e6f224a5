package alertmanager

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// resolution is how well another clock is known: a second, and what clocks may have drifted apart since an answer.
const resolution = time.Second + 10*time.Millisecond

// Whatever its clock shows, alerts are posted in its time: as long ago as they began, never in its future, and resolved
// not later than now.
func TestClocks(t *testing.T) {
	for _, offset := range []time.Duration{
		0, time.Hour, -time.Hour, 3 * time.Second, -3 * time.Second, 800 * time.Millisecond, -800 * time.Millisecond, 24 * 365 * time.Hour,
	} {
		t.Run(offset.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fake{offset: offset}
				r := newRig(t, f, nil)
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

				taken, at := f.taken(), f.times()
				for i, got := range taken[:20] {
					require.WithinDuration(t, a.Start.Add(offset), got.StartsAt, resolution)
					require.WithinDuration(t, at[i+1].Add(offset+30*time.Second), got.EndsAt, resolution)
				}
				for _, got := range taken[20:] {
					require.False(t, got.EndsAt.After(f.now()), "a resolve in its future is lost")
					require.WithinDuration(t, f.now(), got.EndsAt, resolution)
					require.True(t, got.StartsAt.Before(got.EndsAt), "it would be refused")
				}
				require.InDelta(t, offset.Seconds(), r.value("clock_offset_seconds"), resolution.Seconds())
				if offset == 0 {
					require.Equal(t, a.Start.UTC(), taken[0].StartsAt, "clocks that are equal are left alone")
					require.InDelta(t, 0, r.value("clock_offset_seconds"), 0)
				}
			})
		})
	}
}

// An alert that begins in the future, by a clock that was set meanwhile, begins now.
func TestStartInTheFuture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		r := newRig(t, f, nil)
		defer r.run()()
		a := alertOf("m1")
		a.Start = time.Now().Add(time.Hour).Round(0)
		r.Send(a)
		synctest.Wait()
		require.Equal(t, f.now(), f.taken()[0].StartsAt)
	})
}

// The first post waits for the time, but not for more than an answer.
func TestTimeBeforeTheFirstPost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{offset: -time.Hour}
		r := newRig(t, f, nil)
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
		require.InDelta(t, -3600, r.value("clock_offset_seconds"), resolution.Seconds())
	})
}

// The more answers, the closer; a clock that is set is noticed at once.
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
		require.Equal(t, time.Now().UTC(), c.read(time.Now()).now.UTC(), "nothing is known")
		answer()
		r := c.read(time.Now())
		require.InDelta(t, offset.Seconds(), r.offset.Seconds(), 1)
		require.LessOrEqual(t, r.earliest, time.Now().Add(offset))
		for range 50 {
			time.Sleep(2130 * time.Millisecond)
			answer()
			r = c.read(time.Now())
			require.LessOrEqual(t, r.earliest, time.Now().Add(offset))
		}
		require.InDelta(t, offset.Seconds(), r.offset.Seconds(), 0.1)
		require.WithinDuration(t, time.Now().Add(offset), r.earliest, 100*time.Millisecond)

		offset = -time.Hour
		answer()
		require.InDelta(t, -3600, c.read(time.Now()).offset.Seconds(), 1)
		time.Sleep(time.Hour)
		low, high := c.bounds(time.Now())
		require.InDelta(t, 1+2*1.8, (high - low).Seconds(), 0.02, "clocks drift apart")
	})
}
