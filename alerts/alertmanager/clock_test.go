package alertmanager

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// resolution is the maximum error of the estimate: a second, and some drift.
const resolution = time.Second + 10*time.Millisecond

// Times are posted by the Alertmanager's clock: an alert keeps its age, never starts in the future, and does not end later than
// now. Proxies may write any Date header.
func TestClocks(t *testing.T) {
	for _, offset := range []time.Duration{
		0, time.Hour, -time.Hour, 3 * time.Second, -3 * time.Second, 800 * time.Millisecond, -800 * time.Millisecond, 24 * 365 * time.Hour,
	} {
		for date, change := range map[string]func(*fake){
			"of Alertmanager":         func(*fake) {},
			"of a proxy":              func(f *fake) { f.ownDate = true },
			"of a proxy that is late": func(f *fake) { f.ownDate, f.dateOff = true, -time.Minute },
			"an hour ahead":           func(f *fake) { f.ownDate, f.dateOff = true, time.Hour },
			"an hour late":            func(f *fake) { f.ownDate, f.dateOff = true, -time.Hour },
			"missing":                 func(f *fake) { f.badDates = []string{""} },
			"not a time":              func(f *fake) { f.badDates = []string{"yesterday"} },
			"of several proxies": func(f *fake) {
				f.badDates = []string{"Sat, 28 Nov 2026 23:10:49 GMT", "Mon, 02 Jan 2006 15:04:05 GMT", "soon", "Fri, 31 Dec 9999 23:59:59 GMT"}
			},
		} {
			t.Run(offset.String()+" date "+date, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { testClock(t, offset, change) })
			})
		}
	}
}

func testClock(t *testing.T, offset time.Duration, change func(*fake)) {
	f := &fake{offset: offset}
	change(f)
	r := newTestClient(t, f, nil)
	defer r.run()()
	a := alertOf("m1")
	a.Start = time.Now().Add(-20 * time.Second)
	for range 20 {
		r.Send(a)
		synctest.Wait()
		require.Equal(t, []string{"m1"}, f.firing())
		got := f.stored[a.Key()]
		require.WithinDuration(t, a.Start.Add(offset), got.Start, resolution)
		require.WithinDuration(t, f.now().Add(30*time.Second), got.End, resolution)
		time.Sleep(7 * time.Second / 3)
	}
	fresh := alertOf("m2")
	r.Send(fresh, resolved(a, time.Now()), resolved(fresh, time.Now()))
	synctest.Wait()
	require.Empty(t, f.firing(), "Alertmanager ignores an end in its future")
	for _, got := range f.stored {
		require.WithinDuration(t, f.now(), got.End, resolution)
		require.True(t, got.Start.Before(got.End), "Alertmanager refuses an alert that ends before it starts")
	}
	require.InDelta(t, offset.Seconds(), r.value("notifications_alertmanager_clock_offset_seconds"), resolution.Seconds())
	if offset == 0 {
		require.Equal(t, a.Start.UTC(), f.stored[a.Key()].Start, "times are not changed while both clocks are equal")
		require.InDelta(t, 0, r.value("notifications_alertmanager_clock_offset_seconds"), 0)
	}
	over := r.value("notifications_over_on_arrival_total")
	require.Equal(t, over > 0, strings.Contains(r.log.String(), "was over when Alertmanager received it"))
	if offset < 30*time.Second {
		require.Zero(t, over)
	}
	require.LessOrEqual(t, over, 1.0)
	require.NotContains(t, r.log.String(), "does not list")
}

// Nothing ends an alert for a moment while the Alertmanager's clock is not known, if its Date header shows that it differs.
func TestClockThatMayDiffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{offset: time.Hour}
		r := newTestClient(t, f, nil)
		defer r.run()()
		synctest.Wait()
		r.Send(alertOf("m1"))
		synctest.Wait()
		accepted := f.accepted()
		require.Len(t, accepted, 2)
		require.True(t, accepted[0].Start.IsZero() && accepted[0].End.IsZero(), "posted without times")
		require.WithinDuration(t, f.now().Add(30*time.Second), accepted[1].End, resolution)
		require.InDelta(t, 0, r.value("notifications_over_on_arrival_total"), 0)
	})
}

// An alert that is over on arrival is noticed, told, and posted again.
func TestOverOnArrival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{offset: time.Minute, ownDate: true}
		r := newTestClient(t, f, nil)
		defer r.run()()
		a := alertOf("m1")
		a.Detected = time.Now()
		r.Send(append(many(3), a)...)
		synctest.Wait()
		require.Equal(t, []string{"m00000", "m00001", "m00002", "m1"}, f.firing())
		require.InDelta(t, 1, r.value("notifications_over_on_arrival_total"), 0)
		require.InDelta(t, 1, r.value("notifications_latency_seconds_count"), 0, "the latency is observed once")
		require.Contains(t, r.log.String(), `level=WARN msg="An alert was over when Alertmanager received it, and is posted again by Alertmanager's clock"`)
		require.Contains(t, r.log.String(), `level=WARN msg="The Date header of Alertmanager's answers is wrong and not used: a proxy has another clock" alertmanager=http://am:9093 ahead=-1m0s`)

		f.set(func() { f.offset = 2 * time.Hour }) // Its clock is set, and the proxy hides it.
		time.Sleep(confirmInterval)
		r.Send(a)
		synctest.Wait()
		require.Equal(t, []string{"m1"}, f.firing())
		require.InDelta(t, 2, r.value("notifications_over_on_arrival_total"), 0)
		require.InDelta(t, 7200, r.value("notifications_alertmanager_clock_offset_seconds"), resolution.Seconds())

		f.set(func() { f.offset, f.ownDate = -time.Hour, false }) // Its clock is set, and its own Date header shows that.
		r.Send(a)
		synctest.Wait()
		require.InDelta(t, -3600, r.value("notifications_alertmanager_clock_offset_seconds"), resolution.Seconds())
	})
}

// An Alertmanager that does not list what it has accepted is another one each time, or does not answer at all.
func TestAlertmanagerThatListsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{started: "2026-11-25T03:00:00Z", forgets: true}
		r := newTestClient(t, f, func(o *Options) { o.ResolvedElsewhere = func(a *Alert) { panic(a.Labels) } })
		defer r.run()()
		a := retainedVersion(alertOf("m1"))
		for range 30 {
			r.Send(a)
			time.Sleep(10 * time.Second)
		}
		require.Equal(t, []string{"m1"}, f.firing(), "it is posted all the time")
		require.InDelta(t, 1, r.value("notifications_over_on_arrival_total"), 0)
		require.InDelta(t, 31, r.value("notifications_sent_total"), 0)
		require.LessOrEqual(t, f.asked, 7, "it is not asked for each post")
		require.Equal(t, 1, strings.Count(r.log.String(), "does not list an alert"))
		f.set(func() { f.forgets = false })
		time.Sleep(confirmInterval)
		r.Send(a)
		synctest.Wait()
		require.Contains(t, r.log.String(), "Alertmanager lists the alerts again")
	})
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

// The first post is preceded by a request that may show another clock, even if that request fails.
func TestFirstPostFollowsARequest(t *testing.T) {
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
		require.Equal(t, []string{status, post, "GET /api/v2/alerts"}, f.requests)
		require.InDelta(t, 0, r.value("notifications_alertmanager_clock_offset_seconds"), 0, "the Date header alone is not believed")
		require.InDelta(t, 1, r.value("notifications_alertmanager_up"), 0, "the alert was accepted")
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
			c.observe(date, time.Second, sent, time.Now())
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
