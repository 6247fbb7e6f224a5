package collector

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

// A slowDriver answers after a time, unless its context ends first.
type slowDriver struct {
	*fakeDriver
	broken int // polls that the end of their context broke, as it would break a connection
}

// answeringAfter returns a driver whose polls take this long. With zero, they last until their context ends.
func answeringAfter(by time.Duration, words string) *slowDriver {
	d := &slowDriver{fakeDriver: answering(words)}
	d.slow(by, words)
	return d
}

func (d *slowDriver) slow(by time.Duration, words string) {
	d.do(func(ctx context.Context) (*drivers.Poll, error) {
		var answered <-chan time.Time
		if by > 0 {
			answered = time.After(by)
		}
		select {
		case <-answered:
			return &drivers.Poll{Members: rows(words), Now: time.Now(), DownTime: time.Minute}, nil
		case <-ctx.Done():
			d.mu.Lock()
			defer d.mu.Unlock()
			d.broken++
			return nil, ctx.Err()
		}
	})
}

func (d *slowDriver) timesBroken() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.broken
}

// A visit is a scrape that begins at a time of a test, with a deadline.
type visit struct {
	at, timeout time.Duration
	takes       time.Duration // how long it takes, as expected
	atMost      time.Duration // the same, where it depends on the other scrapes
	known       bool          // whether it reads the source, as expected
}

// visits makes the scrapes, and checks how long each took and whether it showed the source as readable.
func (b *bench) visits(source int, all ...visit) {
	b.t.Helper()
	var scrapes sync.WaitGroup
	for i, v := range all {
		scrapes.Go(func() {
			time.Sleep(v.at)
			began := time.Now()
			ctx, cancel := context.WithTimeout(context.Background(), v.timeout)
			defer cancel()
			known := b.Poll(ctx).shown((*b.sources.Load())[source]).readable
			took := time.Since(began)
			if v.atMost > 0 {
				require.LessOrEqual(b.t, took, v.atMost, "scrape %d", i)
			} else {
				require.Equal(b.t, v.takes, took, "scrape %d took another time", i)
			}
			require.Equal(b.t, v.known, known, "scrape %d", i)
		})
	}
	scrapes.Wait()
	synctest.Wait()
}

func (b *bench) requireTimeouts(source string, n int) {
	b.t.Helper()
	require.Contains(b.t, b.text(), fmt.Sprintf("servicegroup_source_poll_errors_total{reason=\"timeout\",source=%q} %d\n", source, n))
}

func TestAPollLivesAsLongAsItsLongestWaiter(t *testing.T) {
	for name, test := range map[string]struct {
		takes         time.Duration // a poll; zero: it never ends
		visits        []visit
		polls, broken int
		lost          bool // at the end
	}{
		"hurried, then patient": {takes: 2 * sec, polls: 1, visits: []visit{
			{at: 0, timeout: 500 * ms, takes: 500*ms + waitExtra, known: true},
			{at: 200 * ms, timeout: 9500 * ms, takes: 1800 * ms, known: true},
		}},
		"patient, then hurried": {takes: 2 * sec, polls: 1, visits: []visit{
			{at: 0, timeout: 9500 * ms, takes: 2 * sec, known: true},
			{at: 200 * ms, timeout: 500 * ms, takes: 500*ms + waitExtra, known: true},
		}},
		"patient, after the hurried one has gone": {takes: 2 * sec, polls: 1, visits: []visit{
			{at: 0, timeout: 500 * ms, takes: 500*ms + waitExtra, known: true},
			{at: 900 * ms, timeout: 9500 * ms, takes: 1100 * ms, known: true},
		}},
		"patient between two hurried ones": {takes: 2 * sec, polls: 1, visits: []visit{
			{at: 0, timeout: 500 * ms, takes: 500*ms + waitExtra, known: true},
			{at: 100 * ms, timeout: 4 * sec, takes: 1900 * ms, known: true},
			{at: 1200 * ms, timeout: 300 * ms, takes: 300*ms + waitExtra, known: true},
		}},
		"each with more time than the one before": {takes: 4 * sec, polls: 1, visits: []visit{
			{at: 0, timeout: sec, takes: sec + waitExtra, known: true},
			{at: 500 * ms, timeout: 2 * sec, takes: 2*sec + waitExtra, known: true},
			{at: 2 * sec, timeout: 3 * sec, takes: 2 * sec, known: true},
		}},
		"more time than poll_timeout": {takes: 20 * sec, polls: 1, visits: []visit{
			{at: 0, timeout: sec, takes: sec + waitExtra, known: true},
			{at: 200 * ms, timeout: 30 * sec, takes: 19800 * ms, known: true},
		}},
		"both hurried": {takes: 2 * sec, polls: 1, broken: 1, lost: true, visits: []visit{
			{at: 0, timeout: sec, takes: sec + waitExtra, known: true},
			{at: 500 * ms, timeout: sec, takes: sec, known: false},
		}},
		"a pair with the same deadline": {takes: 0, polls: 1, broken: 1, lost: true, visits: []visit{
			{at: 0, timeout: 2 * sec, takes: 2 * sec, known: false},
			{at: 0, timeout: 2 * sec, takes: 2 * sec, known: false},
		}},
		"it hangs for both, hurried first": {takes: 0, polls: 1, broken: 1, lost: true, visits: []visit{
			{at: 0, timeout: 500 * ms, takes: 500*ms + waitExtra, known: true},
			{at: 200 * ms, timeout: 5 * sec, takes: 5 * sec, known: false},
		}},
		"it hangs for both, patient first": {takes: 0, polls: 1, broken: 1, lost: true, visits: []visit{
			{at: 0, timeout: 5 * sec, takes: 5 * sec, known: false},
			{at: 200 * ms, timeout: 500 * ms, takes: 500*ms + waitExtra, known: true},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, Options{}, func(t *testing.T, b *bench) {
				d := answeringAfter(ms, "x:up")
				b.apply(d)
				b.scrape(sec)
				d.slow(test.takes, "x:up")
				b.visits(0, test.visits...)
				require.Equal(t, 1+test.polls, d.called())
				require.Equal(t, test.broken, d.timesBroken())
				b.requireTimeouts("a", test.broken)
				require.Equal(t, !test.lost, b.only().Readable)
				if test.lost {
					require.Equal(t, []EventType{EventSourceLost}, b.happened(), "told once")
					require.Contains(t, b.log.String(), "Source can't be read")
				} else {
					require.Empty(t, b.happened())
					require.NotContains(t, b.log.String(), "can't be read")
				}
			})
		})
	}
}

// A hurried scraper each second beside a patient one each 15 s is what two Prometheis with different timeouts do. Most of their
// scrapes don't overlap.
func TestAHurriedScraperBesideAPatientOne(t *testing.T) {
	for name, hurry := range map[string]struct{ every, timeout time.Duration }{
		"each second":       {sec, 500 * ms},
		"each 3 s":          {3 * sec, 500 * ms},
		"each 2 s":          {2 * sec, 1500 * ms},
		"a moment too late": {2050 * ms, 1999 * ms},
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, Options{}, func(t *testing.T, b *bench) {
				d := answeringAfter(ms, "x:up")
				b.apply(d)
				b.scrape(9500 * ms)
				d.slow(2*sec, "x:up")
				var patient []visit
				for i := range 4 {
					patient = append(patient, visit{at: time.Duration(i) * 15 * sec, timeout: 9500 * ms, known: true, atMost: 2 * sec})
				}
				ctx, stop := context.WithCancel(t.Context())
				var hurried sync.WaitGroup
				hurried.Go(func() {
					time.Sleep(200 * ms)
					for tick := time.NewTicker(hurry.every); ; {
						assert.LessOrEqual(t, b.scrape(hurry.timeout), hurry.timeout+waitExtra)
						select {
						case <-tick.C:
						case <-ctx.Done():
							tick.Stop()
							return
						}
					}
				})
				b.visits(0, patient...)
				stop()
				hurried.Wait()
				time.Sleep(2 * sec)
				require.Zero(t, d.timesBroken(), "connections")
				b.requireTimeouts("a", 0)
				require.Empty(t, b.happened())
				require.Empty(t, b.log.String())
			})
		})
	}
}

// Scrapes that are all hurried can't read the source, and can't keep a poll from ending.
func TestRepeatedHurriedScrapesOfAHungSource(t *testing.T) {
	for name, every := range map[string]time.Duration{"that overlap": 400 * ms, "one after another": 700 * ms, "seldom": 5 * sec} {
		t.Run(name, func(t *testing.T) {
			inTime(t, Options{}, func(t *testing.T, b *bench) {
				d := answeringAfter(ms, "x:up")
				b.apply(d)
				b.scrape(sec)
				d.slow(0, "")
				var scrapes sync.WaitGroup
				for i := range 100 {
					scrapes.Go(func() {
						time.Sleep(time.Duration(i) * every)
						assert.LessOrEqual(t, b.scrape(500*ms), 500*ms+waitExtra)
						if time.Since(t0) > DefaultPollTimeout+sec {
							assert.False(t, b.only().Readable)
						}
					})
				}
				scrapes.Wait()
				time.Sleep(DefaultPollTimeout)
				polls := d.called() - 1
				require.Equal(t, polls, d.timesBroken(), "each poll ends")
				require.GreaterOrEqual(t, polls, int(100*every/DefaultPollTimeout))
				b.requireTimeouts("a", polls)
				require.Equal(t, []EventType{EventSourceLost}, b.happened(), "told once")
				require.Equal(t, 1, d.most)
			})
		})
	}
}

// Waiters that join again and again extend a poll up to a limit.
func TestAHungPollEndsAlthoughWaitersKeepJoining(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answeringAfter(0, "")
		cfg := config("a", d)
		cfg.PollTimeout = 7 * sec
		require.NoError(t, b.Apply([]SourceConfig{cfg}))
		b.visits(0,
			visit{at: 0, timeout: 3 * sec, takes: 3*sec + waitExtra},
			visit{at: 2 * sec, timeout: 3 * sec, takes: 3*sec + waitExtra},
			visit{at: 4 * sec, timeout: 5 * sec, takes: 3 * sec},
			visit{at: 6 * sec, timeout: 5 * sec, takes: sec},
			visit{at: 7*sec + ms, timeout: 2 * sec, takes: 2*sec + waitExtra},
		)
		b.requireTimeouts("a", 1)
		time.Sleep(3 * sec) // The poll that the last one started gets the 5 s that others had before.
		require.Equal(t, 2, d.called())
		b.requireTimeouts("a", 2)
	})
}

func TestAHurriedScrapeWithOneHungSource(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		hung, slow := answeringAfter(ms, "x:up"), answeringAfter(ms, "y:up")
		b.apply(hung, slow)
		b.scrape(sec)
		hung.slow(0, "")
		slow.slow(2*sec, "y:up")
		var hurried sync.WaitGroup
		hurried.Go(func() { b.scrape(500 * ms) })
		time.Sleep(200 * ms)
		require.Equal(t, 5*sec, b.scrape(5*sec))
		hurried.Wait()
		require.False(t, b.Snapshots()[0].Readable)
		require.True(t, b.Snapshots()[1].Readable)
		require.Contains(t, b.text(), `service_up{binary="",group="g",member="y",source="b",zone=""} 1`)
		require.NotContains(t, b.text(), `service_up{binary="",group="g",member="x"`)
		b.requireTimeouts("a", 1)
		b.requireTimeouts("b", 0)
		require.Zero(t, slow.timesBroken())
	})
}

// A scrape must not show the result of an old poll as if it were known.
func TestAHurriedScrapeDoesNotShowWhatIsOld(t *testing.T) {
	for name, test := range map[string]struct {
		age   time.Duration
		known bool
	}{
		"fresh": {age: 9 * sec, known: true},
		"old":   {age: 10 * sec, known: false},
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, Options{}, func(t *testing.T, b *bench) {
				d := answeringAfter(ms, "x:up")
				b.apply(d)
				b.scrape(sec)
				time.Sleep(test.age)
				d.slow(2*sec, "x:down")
				b.visits(0,
					visit{at: 0, timeout: 5 * sec, takes: 2 * sec, known: true},
					visit{at: 100 * ms, timeout: 500 * ms, takes: 500*ms + waitExtra, known: test.known},
				)
				require.Equal(t, []EventType{EventDeath}, b.happened(), "no outage excuses the death")
				require.NotContains(t, b.log.String(), "read")
				b.requireTimeouts("a", 0)
			})
		})
	}
}

// A driver that set the first deadline as a limit of its request is asked again with the later one.
func TestADriverThatLimitsItsRequestByTheFirstDeadline(t *testing.T) {
	limited := func(took time.Duration) func(context.Context) (*drivers.Poll, error) {
		return func(ctx context.Context) (*drivers.Poll, error) {
			deadline, _ := ctx.Deadline()
			if limit := time.Until(deadline); limit < took {
				time.Sleep(limit)
				return nil, drivers.Unavailable(drivers.ReasonTimeout, errors.New("max_statement_time exceeded"))
			}
			time.Sleep(took)
			return &drivers.Poll{Members: rows("x:up"), Now: time.Now(), DownTime: time.Minute}, nil
		}
	}
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("")
		d.do(limited(2 * sec))
		b.apply(d)
		b.visits(0,
			visit{at: 0, timeout: 500 * ms, takes: 500*ms + waitExtra, known: false},
			visit{at: 200 * ms, timeout: 9500 * ms, takes: 2800 * ms, known: true},
		)
		require.Equal(t, 2, d.called())
		b.requireTimeouts("a", 0)
		require.Zero(t, b.only().ClockOffset.Truncate(2*sec), "the clock offset is that of the second request")
	})
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("")
		d.do(func(context.Context) (*drivers.Poll, error) {
			time.Sleep(sec) // The driver's own limit, far from the poll's.
			return nil, drivers.Unavailable(drivers.ReasonTimeout, errors.New("no answer"))
		})
		b.apply(d)
		b.visits(0, visit{at: 0, timeout: 5 * sec, takes: sec}, visit{at: 500 * ms, timeout: 8 * sec, takes: 500 * ms})
		require.Equal(t, 1, d.called(), "more time would not help")
		b.requireTimeouts("a", 1)
	})
}

// A waiter that comes right after a poll has expired, while the driver still closes its connection, does not share that failure.
func TestAPatientScrapeRightAfterAPollExpired(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("x:up")
		d.do(func(ctx context.Context) (*drivers.Poll, error) {
			select {
			case <-ctx.Done():
				time.Sleep(waitExtra / 2)
				return nil, ctx.Err()
			case <-time.After(2 * sec):
				return &drivers.Poll{Members: rows("x:up"), Now: time.Now(), DownTime: time.Minute}, nil
			}
		})
		b.apply(d)
		b.visits(0,
			visit{at: 0, timeout: sec, takes: sec + waitExtra/2},
			visit{at: sec + ms, timeout: 5 * sec, takes: 2*sec + waitExtra/2 - ms, known: true},
		)
		require.Equal(t, 2, d.called())
		b.requireTimeouts("a", 1)
	})
}

// A driver that ignores its context is overdue although no waiter is left to notice it.
func TestAPollIsOverdueWithoutAWaiter(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("x:up")
		b.apply(d)
		b.scrape(sec)
		release := make(chan struct{})
		d.ignore(release, "x:up")
		b.scrape(500 * ms)
		require.True(t, b.only().Readable)
		time.Sleep(sec)
		require.False(t, b.only().Readable)
		require.ErrorIs(t, b.only().Err, errNoAnswer)
		b.requireTimeouts("a", 1)
		close(release)
		synctest.Wait()
		require.True(t, b.only().Readable)
	})
}
