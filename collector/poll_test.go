package collector

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

func TestConcurrentScrapesShareAPoll(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("")
		d.delay(sec, "x:up")
		b.apply(d)
		var scrapes sync.WaitGroup
		for range 10 {
			scrapes.Go(func() { assert.Equal(t, sec, b.scrape(5*sec)) })
		}
		scrapes.Wait()
		require.Equal(t, 1, d.called())
		b.scrape(5 * sec)
		require.Equal(t, 2, d.called())
		require.Equal(t, 1, d.most)
		require.True(t, b.only().Readable)
	})
}

func TestAHungSourceDelaysNoOther(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		hung, fine := answering(""), answering("x:up y:down")
		hung.hang()
		b.apply(hung, fine)
		require.Equal(t, 2*sec, b.scrape(2*sec))
		lost, good := b.Snapshots()[0], b.Snapshots()[1]
		require.False(t, lost.Readable)
		require.Equal(t, drivers.ReasonTimeout, lost.Reason)
		require.ErrorIs(t, lost.Err, context.DeadlineExceeded)
		require.Equal(t, 2*sec, lost.PollDuration)
		require.True(t, good.Readable)
		require.Len(t, good.Members, 2)
		require.Zero(t, good.PollDuration)
		require.Contains(t, b.text(), `service_up{binary="",group="g",member="x",source="b",zone=""} 1`)
		require.Contains(t, b.text(), `servicegroup_source_poll_errors_total{reason="timeout",source="a"} 1`)
	})
}

func TestADriverThatIgnoresItsContext(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		stuck, other := answering("x:up"), answering("y:up")
		b.apply(stuck, other)
		b.scrape(sec)
		release := make(chan struct{})
		stuck.ignore(release, "x:up z:up")
		for range 3 {
			require.Equal(t, sec+waitExtra, b.scrape(sec))
			require.False(t, b.Snapshots()[0].Readable)
			require.ErrorIs(t, b.Snapshots()[0].Err, errNoAnswer)
			require.ErrorIs(t, b.Snapshots()[0].Err, drivers.ErrUnavailable)
			require.True(t, b.Snapshots()[1].Readable)
		}
		require.Equal(t, 2, stuck.called(), "one poll at a time")
		require.NotContains(t, b.text(), `member="x",source="a"} 1`)

		close(release)
		synctest.Wait()
		late := b.Snapshots()[0]
		require.True(t, late.Readable, "a late answer is an answer")
		require.Len(t, late.Members, 2)
		require.Equal(t, []EventType{EventSourceLost, EventSourceBack, EventJoin}, b.happened())
		require.Contains(t, b.text(), `servicegroup_source_poll_errors_total{reason="timeout",source="a"} 1`, "per poll, not per waiter")
	})
}

func TestAWaiterWithLessTimeThanTheFirstGivesUpInTime(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("")
		d.delay(3*sec, "x:up")
		b.apply(d)
		var first sync.WaitGroup
		first.Go(func() { assert.Equal(t, 3*sec, b.scrape(5*sec)) })
		synctest.Wait()
		require.Equal(t, sec+waitExtra, b.scrape(sec))
		require.False(t, b.only().Readable, "unknown for the one with less time")
		first.Wait()
		require.True(t, b.only().Readable)
		require.Equal(t, 1, d.called())
	})
}

func TestAWaiterWithoutTimeFailsNoOther(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("")
		d.do(func(ctx context.Context) (*drivers.Poll, error) {
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(100 * ms):
				return &drivers.Poll{Members: rows("x:up")}, nil
			}
		})
		b.apply(d)
		require.Equal(t, ms+waitExtra, b.scrape(ms))
		require.Equal(t, 100*ms-ms-waitExtra, b.scrape(sec))
		require.Equal(t, 1, d.called(), "the second shares the poll of the first")
		require.True(t, b.only().Readable)
	})
}

// A scrape with a short deadline is not an outage of the source, and must not delay the report of a death.
func TestAScrapeWithAShortDeadlineIsNotAnOutage(t *testing.T) {
	for name, test := range map[string]struct {
		first time.Duration // the deadline that the poll has
		state State
	}{
		"the poll itself was in time": {first: 9 * sec, state: Down},
		"the poll itself was late":    {first: 2 * sec, state: Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, Options{}, func(t *testing.T, b *bench) {
				d := answering("x:up")
				b.apply(d)
				b.scrape(sec)
				time.Sleep(55 * sec)
				d.delay(8*sec, "x:down")
				var first sync.WaitGroup
				first.Go(func() { b.scrape(test.first) })
				synctest.Wait()
				b.scrape(sec)
				first.Wait()
				time.Sleep(8 * sec)
				require.True(t, b.only().Readable)
				require.Equal(t, test.state, b.only().Members[0].State)
			})
		})
	}
}

func TestAClientThatGoesAwayChangesNothing(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("x:up")
		b.apply(d)
		b.scrape(sec)
		d.delay(3*sec, "x:up y:up")
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(sec, cancel)
		b.Poll(ctx)
		require.True(t, b.only().Readable)
		time.Sleep(3 * sec)
		require.Len(t, b.only().Members, 2, "the poll went on")
		require.Equal(t, []EventType{EventJoin}, b.happened())
	})
}

func TestAPollWithoutADeadlineHasOne(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("")
		d.hang()
		cfg := config("a", d)
		cfg.PollTimeout = 7 * sec
		require.NoError(t, b.Apply([]SourceConfig{cfg}))
		start := time.Now()
		b.Poll(t.Context())
		require.Equal(t, 7*sec, time.Since(start))
		require.Equal(t, drivers.ReasonTimeout, b.only().Reason)
	})
}

func TestFailedPolls(t *testing.T) {
	for _, reason := range drivers.Reasons() {
		t.Run(string(reason), func(t *testing.T) {
			inTime(t, Options{}, func(t *testing.T, b *bench) {
				d := answering("x:up")
				b.apply(d)
				b.scrape(sec)
				time.Sleep(sec)
				d.fail(reason)
				b.scrape(sec)
				snap := b.only()
				require.False(t, snap.Readable)
				require.Equal(t, reason, snap.Reason)
				require.ErrorIs(t, snap.Err, drivers.ErrUnavailable)
				require.Equal(t, time.Now(), snap.LastAttempt)
				require.Equal(t, time.Now().Add(-sec), snap.LastSuccess)
				require.Equal(t, Unknown, snap.Members[0].State)
				require.Equal(t, "fake 1", snap.Backend)
				b.scrape(sec)
				require.Equal(t, []EventType{EventSourceLost}, b.happened(), "told once")
				require.Contains(t, b.text(), `poll_errors_total{reason="`+string(reason)+`",source="a"} 2`)
				d.say("x:up")
				b.scrape(sec)
				require.Equal(t, []EventType{EventSourceBack}, b.happened())
				require.Equal(t, Up, b.only().Members[0].State)
			})
		})
	}
}

func TestADriverThatReturnsNothing(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("")
		d.do(func(context.Context) (*drivers.Poll, error) { return nil, nil })
		b.apply(d)
		b.scrape(sec)
		require.ErrorIs(t, b.only().Err, errNoPoll)
		require.Equal(t, drivers.ReasonQuery, b.only().Reason)
	})
}

// A driver that answers at its deadline says why better than a timeout does.
func TestTheDriversReasonIsPreferred(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("")
		d.do(func(ctx context.Context) (*drivers.Poll, error) {
			<-ctx.Done()
			time.Sleep(waitExtra / 2)
			return nil, drivers.Unavailable(drivers.ReasonSession, errors.New("no quorum"))
		})
		b.apply(d)
		b.scrape(sec)
		require.Equal(t, drivers.ReasonSession, b.only().Reason)
		require.Contains(t, b.text(), `poll_errors_total{reason="session",source="a"} 1`)
		require.Contains(t, b.text(), `poll_errors_total{reason="timeout",source="a"} 0`)
	})
}

func TestAnAnswerThatFailsLateIsCountedOnce(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("")
		d.do(func(context.Context) (*drivers.Poll, error) {
			time.Sleep(3 * sec)
			return nil, drivers.Unavailable(drivers.ReasonConnect, errors.New("reset"))
		})
		b.apply(d)
		b.scrape(sec)
		time.Sleep(3 * sec)
		require.Equal(t, drivers.ReasonConnect, b.only().Reason)
		require.Contains(t, b.text(), `poll_errors_total{reason="timeout",source="a"} 1`)
		require.Contains(t, b.text(), `poll_errors_total{reason="connect",source="a"} 0`)
	})
}

// A poll that fails after all waiters have given up is an outage like any other.
func TestAPollThatFailsLateIsAnOutage(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("x:up")
		b.apply(d)
		b.scrape(sec)
		d.do(func(context.Context) (*drivers.Poll, error) {
			time.Sleep(3 * sec)
			return nil, drivers.Unavailable(drivers.ReasonConnect, errors.New("reset"))
		})
		b.scrape(sec)
		time.Sleep(3 * sec)
		d.say("x:down")
		b.scrape(sec)
		require.Equal(t, Unknown, b.only().Members[0].State)
	})
}

func TestBeforeTheFirstPoll(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		require.Empty(t, b.Snapshots())
		b.scrape(sec)
		b.apply(answering("x:up"))
		snap := b.only()
		require.False(t, snap.Readable)
		require.NoError(t, snap.Err)
		require.Empty(t, snap.Members)
		require.Contains(t, b.text(), "servicegroup_source_up{source=\"a\"} 0\n")
		require.NotContains(t, b.text(), "service_up{")
	})
}
