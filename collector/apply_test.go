package collector

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

func changed(name, fingerprint string, d drivers.Driver) SourceConfig {
	cfg := config(name, d)
	cfg.Fingerprint = fingerprint
	return cfg
}

func TestApplyLeavesUnchangedSourcesAlone(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("x:up")
		b.apply(d)
		b.scrape(sec)
		opened := 0
		again := config("a", d)
		again.Open = func() (drivers.Driver, error) { opened++; return d, nil }
		require.NoError(t, b.Apply([]SourceConfig{again, config("b", answering("y:up"))}))
		require.Zero(t, opened)
		require.Zero(t, d.timesClosed())
		require.True(t, b.Snapshots()[0].Readable, "not a poll was missed")
	})
}

func TestApplyOfAChangedSourceKeepsItsHistory(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		first, second := answering("x:up:beat=0s y:up:beat=0s"), answering("x:down y:up z:up")
		require.NoError(t, b.Apply([]SourceConfig{changed("a", "1", first)}))
		b.scrape(sec)
		start := time.Now()
		first.say("x:up y:down")
		time.Sleep(mins)
		b.scrape(sec)
		require.Equal(t, []EventType{EventDeath}, b.happened())

		cfg := changed("a", "2", second)
		cfg.Driver = "other"
		require.NoError(t, b.Apply([]SourceConfig{cfg}))
		synctest.Wait()
		require.Equal(t, 1, first.timesClosed())
		require.True(t, b.only().Readable, "what was known is still known")
		require.Equal(t, "other", b.only().Driver)
		require.Contains(t, b.text(), `servicegroup_member_transitions_total{binary="",group="g",member="y",source="a",zone=""} 1`)

		time.Sleep(mins)
		b.scrape(sec)
		require.Equal(t, []EventType{EventDeath, EventRecovery, EventJoin}, b.happened())
		require.WithinDuration(t, start.Add(2*mins), b.only().Members[0].Since, 0)
		require.Equal(t, uint64(2), b.only().Members[1].Transitions)
		require.Contains(t, b.text(), `servicegroup_detection_latency_seconds_count{group="g",source="a"} 2`)
	})
}

func TestApplyEndsRemovedSources(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		gone, stays := answering("x:up"), answering("y:up")
		b.apply(stays, gone)
		b.scrape(sec)
		require.Contains(t, b.text(), `source="b"`)
		b.apply(stays)
		synctest.Wait()
		require.NotContains(t, b.text(), `source="b"`)
		require.Contains(t, b.text(), `source="a"`)
		require.Equal(t, 1, gone.timesClosed())
		b.scrape(sec)
		require.Equal(t, 1, gone.called())
	})
}

func TestApplyIsAllOrNothing(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		kept, fresh := answering("x:up"), answering("x:up")
		b.apply(kept)
		b.scrape(sec)
		broken := errors.New("no such host")
		bad := SourceConfig{Name: "bad", Open: func() (drivers.Driver, error) { return nil, broken }}
		err := b.Apply([]SourceConfig{changed("a", "2", fresh), bad})
		require.ErrorIs(t, err, broken)
		require.ErrorContains(t, err, `opening source "bad"`)
		require.Equal(t, 1, fresh.timesClosed(), "what was opened is closed")
		require.Zero(t, kept.timesClosed())
		require.True(t, b.only().Readable)
		b.scrape(sec)
		require.Equal(t, 2, kept.called())
	})
}

func TestApplyRefusesNames(t *testing.T) {
	d := answering("")
	for want, names := range map[string][]string{
		"a source has no name":                   {"a", ""},
		`there are two sources "a"`:              {"a", "b", "a"},
		`the name of source "\xff" is not UTF-8`: {"\xff"},
	} {
		var configs []SourceConfig
		for _, name := range names {
			configs = append(configs, config(name, d))
		}
		b := newBench(t, Options{})
		require.EqualError(t, b.Apply(configs), want)
		require.Empty(t, b.Snapshots())
	}
}

func TestASourceThatListsDatabases(t *testing.T) {
	b := newBench(t, Options{})
	b.apply(giving(&drivers.Poll{ListsDatabases: true}, nil))
	require.False(t, b.only().ListsDatabases, "before the first poll")
	b.scrape(sec)
	require.True(t, b.only().ListsDatabases)
	require.NoError(t, b.Close())
}

func TestSnapshotsAreSorted(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("h/a:up g/b:up g/a:up")
		require.NoError(t, b.Apply([]SourceConfig{config("z", d), config("a", d), config("m", d)}))
		b.scrape(sec)
		var names []string
		for _, s := range b.Snapshots() {
			names = append(names, s.Source)
			for _, m := range s.Members {
				names = append(names, m.Group+m.Name)
			}
		}
		require.Equal(t, strings.Fields("a ga gb ha m ga gb ha z ga gb ha"), names)
	})
}

func TestALateAnswerOfAReplacedSourceIsDropped(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		old := answering("x:up")
		require.NoError(t, b.Apply([]SourceConfig{changed("a", "1", old)}))
		b.scrape(sec)
		release := make(chan struct{})
		old.ignore(release, "wrong:up")
		waited := make(chan time.Duration, 1)
		go func() { waited <- b.scrape(10 * sec) }()
		time.Sleep(sec)
		require.NoError(t, b.Apply([]SourceConfig{changed("a", "2", answering("x:up"))}))
		require.Equal(t, sec, <-waited, "who waited for it is let go")
		b.scrape(sec)
		close(release)
		synctest.Wait()
		require.True(t, b.only().Readable)
		require.Len(t, b.only().Members, 1)
		require.Empty(t, b.happened())
	})
}

func TestApplyWhileRunningStartsAndStopsPolling(t *testing.T) {
	running(t, prepared{interval: sec}, func(t *testing.T, b *bench, first *fakeWatcher) {
		second := answering("x:up")
		cfg := changed("a", "2", second)
		cfg.PollInterval = sec
		require.NoError(t, b.Apply([]SourceConfig{cfg}))
		time.Sleep(10*sec + ms)
		require.Equal(t, 11, second.called())
		require.Equal(t, 1, first.called())
		require.NoError(t, b.Apply(nil))
		time.Sleep(10 * sec)
		require.Equal(t, 11, second.called())
		require.Equal(t, 1, second.timesClosed())
	})
}

func TestAnIdleSourceThatIsRemovedLeavesNothingBehind(t *testing.T) {
	running(t, prepared{}, func(t *testing.T, b *bench, _ *fakeWatcher) {
		require.NoError(t, b.Apply(nil))
		b.loops.Wait()
		b.retired.Wait()
	})
}

func TestALostSourceStaysLostWhenItIsChanged(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("")
		d.fail(drivers.ReasonAuth)
		b.apply(d)
		b.scrape(sec)
		d.say("x:up")
		require.NoError(t, b.Apply([]SourceConfig{changed("a", "2", d)}))
		require.Equal(t, drivers.ReasonAuth, b.only().Reason)
		b.scrape(sec)
		require.Equal(t, []EventType{EventSourceLost, EventSourceBack}, b.happened())
	})
}

func TestAChangeOfWhatIsShown(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("x:up:enabled")
		b.apply(d)
		b.scrape(sec)
		upOnly := changed("a", "2", d)
		upOnly.UpOnly = true
		require.NoError(t, b.Apply([]SourceConfig{upOnly}))
		require.NotContains(t, b.text(), "servicegroup_member_")
		require.Contains(t, b.text(), "service_up{")
		require.NoError(t, b.Apply([]SourceConfig{changed("a", "3", d)}))
		require.Contains(t, b.text(), "servicegroup_member_enabled{")
	})
}

// The counters of groups that are known begin at zero when a reload turns suspicion on, so that Prometheus sees the first increase.
func TestSuspicionThatIsTurnedOn(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("x:up:beat=0s h/y:up:beat=0s")
		b.apply(d)
		b.scrape(sec)
		require.NotContains(t, b.text(), "servicegroup_suspicions_total")
		cfg := changed("a", "2", d)
		cfg.Suspicion.Enabled = true
		require.NoError(t, b.Apply([]SourceConfig{cfg}))
		for _, group := range []string{"g", "h"} {
			require.Contains(t, b.text(), `servicegroup_suspicions_total{group="`+group+`",outcome="refuted",source="a"} 0`)
			require.Contains(t, b.text(), `servicegroup_suspicion_latency_seconds_count{group="`+group+`",source="a"} 0`)
		}
	})
}

func TestADriverThatCanNotCloseIsLogged(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("")
		d.closeErr = errors.New("still busy")
		b.apply(d)
		require.NoError(t, b.Apply(nil))
		synctest.Wait()
		require.Contains(t, b.log.String(), "still busy")
	})
}

func TestForgetAfterOfANewConfiguration(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		b.apply(answering("x:up"))
		b.scrape(sec)
		cfg := changed("a", "2", answering(""))
		cfg.ForgetAfter = 10 * sec
		require.NoError(t, b.Apply([]SourceConfig{cfg}))
		b.scrape(sec)
		time.Sleep(10 * sec)
		b.scrape(sec)
		require.Equal(t, []EventType{EventDeath, EventForgotten}, b.happened())
		require.NotRegexp(t, `service_up\{[^}]*member="x"`, b.text())
		require.Regexp(t, `servicegroup_member_down\{[^}]*member="x"[^}]*\} 0`, b.text())
		time.Sleep(hour)
		b.scrape(sec)
		require.NotContains(t, b.text(), `member="x"`)
	})
}

// The groups that a source must have may change without the source being opened again.
func TestExpectedGroups(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("h/x:up:rostered")
		cfg := config("a", d)
		cfg.ExpectedGroups = []string{"g", "h"}
		require.NoError(t, b.Apply([]SourceConfig{cfg}))
		require.Empty(t, b.Snapshots()[0].Groups)
		b.scrape(sec)
		known := func(name string, members int) GroupState {
			return GroupState{Name: name, InService: members, Known: true, LastKnown: time.Now()}
		}
		require.Equal(t, []GroupState{known("g", 0), known("h", 1)}, b.Snapshots()[0].Groups)
		cfg.ExpectedGroups = nil
		require.NoError(t, b.Apply([]SourceConfig{cfg}))
		b.scrape(sec)
		require.Equal(t, []GroupState{known("h", 1)}, b.Snapshots()[0].Groups)
	})
}
