package collector

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/collector/internal/testrows"
	"servicegroup_exporter/collector/tracker"
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
		cfg.PollInterval, cfg.PollTimeout, cfg.Suspicion = p.interval, p.timeout, p.suspicion
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
	suspicion         tracker.Suspicion
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
		require.EqualError(t, b.Run(ctx), "drivers did not stop in time and were left behind, of the sources: a")
		require.Equal(t, sec+stopTimeout, time.Since(start))
		close(release)
	})
}

// A source that only scrapes poll is polled once more when the limit of a late member ends, and then no more often than once a second.
func TestALateMemberIsPolledAtItsLimit(t *testing.T) {
	for name, p := range map[string]prepared{
		"only scrapes": {}, "a slow timer": {interval: hour}, "a watch": {watched: true},
	} {
		t.Run(name, func(t *testing.T) {
			p.suspicion = tracker.Suspicion{Enabled: true, Margin: 10 * sec}
			running(t, p, func(t *testing.T, b *bench, d *fakeWatcher) {
				var last time.Duration
				for range 5 {
					last = time.Since(testrows.Start())
					d.say(fmt.Sprintf("x:up:beat=%s y:up:beat=%s z:up:beat=%s", last, last, last))
					b.scrape(sec)
					time.Sleep(10 * sec)
				}
				d.do(func(context.Context) (*drivers.Poll, error) { // y and z report on
					now := time.Since(testrows.Start())
					return &drivers.Poll{
						Members: rows(fmt.Sprintf("x:up:beat=%s y:up:beat=%s z:up:beat=%s", last, now, now)), Now: time.Now(), DownTime: mins,
					}, nil
				})
				time.Sleep(4 * sec)
				b.scrape(sec)
				before := d.called()
				time.Sleep(10 * sec)
				require.Equal(t, before, d.called())
				time.Sleep(2 * sec)
				require.Equal(t, before+1, d.called(), "25 s after the last heartbeat")
				require.True(t, b.Snapshots()[0].Members[0].Suspected)
				require.Equal(t, last+25*sec+limitExtra, b.Snapshots()[0].Members[0].SuspectedSince.Sub(testrows.Start()))
				time.Sleep(20 * sec)
				require.Equal(t, before+1, d.called(), "no other member is late")
			})
		})
	}
}

// A source is polled at the instant at which a member is late by which its host is down, though only scrapes poll it.
func TestAHostIsPolledWhenItsLastMemberIsLate(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		var configs []SourceConfig
		for name, service := range map[string]struct{ first, interval time.Duration }{"nova": {0, 10 * sec}, "neutron": {5 * sec, 30 * sec}} {
			d := answering("")
			d.do(func(context.Context) (*drivers.Poll, error) {
				poll := &drivers.Poll{Members: rows(strings.ReplaceAll("/h1:up /h2:up /h3:up /h4:up", "/", name+"/")), Now: time.Now(), DownTime: 75 * sec}
				for i := range poll.Members {
					since := time.Since(testrows.Start())
					if i == 0 {
						since = min(since, 100*sec) // h1 dies then.
					}
					count := max(since-service.first, 0) / service.interval
					m := &poll.Members[i]
					m.LastHeartbeat = testrows.Start().Add(service.first + count*service.interval)
					m.ReportCount, m.HasReportCount = uint64(count), true
				}
				return poll, nil
			})
			cfg := config(name, d)
			cfg.Suspicion = tracker.Suspicion{Enabled: true, Margin: 10 * sec}
			configs = append(configs, cfg)
		}
		require.NoError(t, b.Apply(configs))
		stop := b.background()
		for range 8 {
			b.scrape(sec)
			time.Sleep(15 * sec)
		}
		b.scrape(sec) // at 120 s
		for _, step := range []struct {
			at              time.Duration
			suspected, late bool
		}{
			{125 * sec, false, false},
			{125*sec + 2*limitExtra, true, false},
			{129 * sec, true, false},
			{129*sec + 2*limitExtra, true, true}, // The agent's last heartbeat was at 95 s. It is late after 34 s.
		} {
			time.Sleep(step.at - time.Since(testrows.Start()))
			neutron, nova := &b.Snapshots()[0], &b.Snapshots()[1]
			require.Equal(t, step.suspected, nova.Members[0].Suspected, "%s", step.at)
			require.Equal(t, step.late, neutron.Members[0].Late, "%s", step.at)
			require.Equal(t, step.late, Hosts(b.Snapshots(), nil)[0].IsDown(), "%s", step.at)
		}
		require.NoError(t, stop())
	})
}

func TestPollsThatAreTooRareForSuspicionAreLogged(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("")
		cfg := config("a", d)
		cfg.Suspicion = tracker.Suspicion{Enabled: true, Margin: 10 * sec}
		require.NoError(t, b.Apply([]SourceConfig{cfg}))
		for _, every := range []time.Duration{15 * sec, 50 * sec, 15 * sec} {
			for range 25 {
				now := time.Since(testrows.Start()).Truncate(10 * sec)
				d.do(func(context.Context) (*drivers.Poll, error) {
					members := rows(fmt.Sprintf("x:up:beat=%s y:up:beat=%s", now, now))
					for j := range members {
						members[j].ReportCount, members[j].HasReportCount = uint64(now/(10*sec)), true
					}
					return &drivers.Poll{Members: members, Now: time.Now(), DownTime: mins}, nil
				})
				b.scrape(sec)
				time.Sleep(every)
			}
		}
		require.Equal(t, 1, strings.Count(b.log.String(), "Source is polled too rarely to suspect its members"))
		require.Equal(t, 1, strings.Count(b.log.String(), "Source is polled often enough to suspect its members"))
	})
}
