package collector

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

// running runs a test of a collector that polls by itself. The driver returns the member x unless it is prepared to do
// something else, and is a watcher only if it is prepared as one.
func running(t *testing.T, p prepared, test func(t *testing.T, b *bench, d *fakeWatcher)) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := watching("x:up")
		cfg := config("a", d.fakeDriver)
		if p.watched {
			cfg = config("a", d)
		}
		cfg.PollInterval, cfg.PollTimeout = p.interval, p.timeout
		if p.driver != nil {
			p.driver(d)
		}
		require.NoError(t, b.Apply([]SourceConfig{cfg}))
		stop := b.background()
		synctest.Wait()
		test(t, b, d)
		require.NoError(t, stop())
	})
}

type prepared struct {
	watched           bool
	interval, timeout time.Duration
	driver            func(*fakeWatcher)
}

func TestATimerPolls(t *testing.T) {
	running(t, prepared{interval: 5 * sec}, func(t *testing.T, b *bench, d *fakeWatcher) {
		require.Equal(t, 1, d.called(), "at once")
		time.Sleep(16 * sec)
		require.Equal(t, 4, d.called())
		d.say("")
		time.Sleep(5 * sec)
		require.Equal(t, []EventType{EventDeath}, b.happened())
	})
}

func TestWithoutATimerOnlyScrapesPoll(t *testing.T) {
	running(t, prepared{}, func(t *testing.T, b *bench, d *fakeWatcher) {
		time.Sleep(hour)
		require.Equal(t, 1, d.called(), "the first, which shows whether the source can be read")
		b.scrape(sec)
		require.Equal(t, 2, d.called())
	})
}

func TestATimerOutlivesAHungDriver(t *testing.T) {
	var release chan struct{}
	stuck := func(d *fakeWatcher) {
		release = make(chan struct{})
		d.ignore(release, "x:up")
	}
	p := prepared{interval: 5 * sec, timeout: 2 * sec, driver: stuck}
	running(t, p, func(t *testing.T, b *bench, d *fakeWatcher) {
		time.Sleep(3 * sec)
		require.Equal(t, drivers.ReasonTimeout, b.only().Reason)
		time.Sleep(10 * sec)
		require.Equal(t, 1, d.called())
		close(release)
		d.say("x:up y:up")
		time.Sleep(5 * sec)
		require.Len(t, b.only().Members, 2)
	})
}

func TestAWatchPollsAtOnce(t *testing.T) {
	two := func(d *fakeWatcher) { d.say("x:up y:up") }
	running(t, prepared{watched: true, driver: two}, func(t *testing.T, b *bench, d *fakeWatcher) {
		time.Sleep(hour)
		require.Equal(t, 1, d.called())
		d.say("y:up")
		d.signal()
		synctest.Wait()
		require.Equal(t, []EventType{EventDeath}, b.happened())
		require.Equal(t, 2, d.called())
	})
}

func TestAStormOfSignalsIsMerged(t *testing.T) {
	for name, test := range map[string]struct {
		took  time.Duration
		polls int // in a second
	}{
		"of a fast backend": {took: 0, polls: 20},
		"of a slow backend": {took: 125 * ms, polls: 4},
	} {
		t.Run(name, func(t *testing.T) {
			slow := func(d *fakeWatcher) { d.delay(test.took, "x:up") }
			running(t, prepared{watched: true, driver: slow}, func(t *testing.T, _ *bench, d *fakeWatcher) {
				time.Sleep(sec)
				before := d.called()
				for end := time.Now().Add(sec); time.Now().Before(end); time.Sleep(ms) {
					d.signal()
				}
				require.InDelta(t, test.polls, d.called()-before, 1)
				time.Sleep(sec)
				after := d.called()
				time.Sleep(hour)
				require.Equal(t, after, d.called(), "quiet again")
			})
		})
	}
}

// A poll that is under way when the watch reports a change may have read the backend before it.
func TestASignalDuringAPollAsksForAnother(t *testing.T) {
	running(t, prepared{watched: true}, func(t *testing.T, b *bench, d *fakeWatcher) {
		d.delay(sec, "x:up")
		go b.scrape(5 * sec)
		synctest.Wait()
		d.say("")
		d.signal()
		synctest.Wait()
		require.Equal(t, 2, d.called(), "one at a time")
		time.Sleep(sec)
		synctest.Wait()
		require.Equal(t, 3, d.called())
		require.Equal(t, []EventType{EventDeath}, b.happened())
	})
}

func TestALostWatchedSourceIsTriedAgain(t *testing.T) {
	broken := func(d *fakeWatcher) { d.fail(drivers.ReasonConnect) }
	running(t, prepared{watched: true, driver: broken}, func(t *testing.T, b *bench, d *fakeWatcher) {
		time.Sleep(10*sec + 500*ms)
		require.Equal(t, 11, d.called())
		d.say("x:up")
		time.Sleep(sec)
		require.True(t, b.only().Readable)
		time.Sleep(hour)
		require.Equal(t, 12, d.called(), "quiet again")
	})
}

func TestGraceOfAWatchedSourceEndsInTime(t *testing.T) {
	two := func(d *fakeWatcher) { d.say("x:up y:up") }
	running(t, prepared{watched: true, driver: two}, func(t *testing.T, b *bench, d *fakeWatcher) {
		d.fail(drivers.ReasonSession)
		b.scrape(sec)
		d.say("y:up")
		time.Sleep(sec)
		synctest.Wait()
		require.Equal(t, Unknown, b.only().Members[0].State)
		b.happened()
		time.Sleep(mins + sec)
		require.Equal(t, []EventType{EventDeath}, b.happened(), "a down time after the outage")
		polls := d.called()
		time.Sleep(hour)
		require.Equal(t, polls, d.called(), "quiet again")
	})
}

func TestRunEndsWithItsContext(t *testing.T) {
	for name, prepare := range map[string]func(*fakeDriver){
		"idle": func(*fakeDriver) {},
		"hung": (*fakeDriver).hang,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, Options{})
				d := answering("x:up")
				prepare(d)
				b.apply(d)
				stop := b.background()
				synctest.Wait()
				start := time.Now()
				require.NoError(t, stop())
				require.Zero(t, time.Since(start))
				require.Equal(t, 1, d.timesClosed())
				_, open := <-b.events
				require.False(t, open, "subscriptions end")
				require.NoError(t, b.Close(), "again")
				b.scrape(sec)
				require.Equal(t, 1, d.called(), "closed")
				require.ErrorIs(t, b.Apply(nil), errClosed)
				require.ErrorIs(t, b.Run(t.Context()), errClosed)
				_, open = <-func() <-chan Event { ch, _ := b.Subscribe(1); return ch }()
				require.False(t, open)
			})
		})
	}
}

func TestRunTwice(t *testing.T) {
	running(t, prepared{}, func(t *testing.T, b *bench, _ *fakeWatcher) {
		require.ErrorIs(t, b.Run(t.Context()), errRanBefore)
	})
}

func TestADriverThatNeverStopsIsAbandoned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Options{})
		release := make(chan struct{})
		stuck := answering("")
		stuck.ignore(release, "")
		b.apply(stuck, answering("x:up"))
		ctx, cancel := context.WithTimeout(t.Context(), sec)
		defer cancel()
		start := time.Now()
		require.ErrorIs(t, b.Run(ctx), errAbandoned)
		require.Equal(t, sec+stopTimeout, time.Since(start))
		close(release)
	})
}
