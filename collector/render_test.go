package collector

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/collector/exposition"
	"servicegroup_exporter/drivers"
)

func answer(p *drivers.Poll) func(context.Context) (*drivers.Poll, error) {
	return func(context.Context) (*drivers.Poll, error) { return p, nil }
}

// manyMembers are members with everything that a member can have.
func manyMembers(n int) []drivers.Member {
	members := make([]drivers.Member, n)
	for i := range members {
		members[i] = row(fmt.Sprintf("compute/compute-%06d.example.org:up:beat=-5s:enabled:unforced:rostered"+
			":binary=nova-compute:zone=az%d:uuid=%08x:version=61", i, i%3, i))
	}
	return members
}

// A poll allocates only the series that have changed.
func TestSeriesAreMadeWhenTheyChange(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("")
		members := manyMembers(100)
		d.answer = answer(&drivers.Poll{Members: members})
		b.apply(d)
		b.scrape(sec)
		before := b.series()
		b.scrape(sec)
		require.Equal(t, before, b.series())

		members = slices.Clone(members)
		members[99].LastHeartbeat = time.Now()
		d.answer = answer(&drivers.Poll{Members: members})
		b.scrape(sec)
		for i := range members[:99] {
			require.Same(t, before[i], b.series()[i])
		}
		require.NotSame(t, before[99], b.series()[99])
		require.Same(t, before[99].common, b.series()[99].common, "the labels are as they were")
		require.Same(t, before[99].info, b.series()[99].info)
	})
}

// A scrape of members that have not changed allocates nothing for them, however many they are.
func TestAScrapeAllocatesNothingForAMember(t *testing.T) {
	allocations := func(n int, format expfmt.FormatType) float64 {
		b := newBench(t, Options{})
		d := answering("")
		d.answer = answer(&drivers.Poll{Members: manyMembers(n), Now: t0, DownTime: mins})
		b.apply(d)
		b.scrape(sec)
		return testing.AllocsPerRun(5, func() { encodeFamilies(b, io.Discard, format) })
	}
	for _, format := range []expfmt.FormatType{expfmt.TypeTextPlain, expfmt.TypeOpenMetrics, expfmt.TypeProtoDelim} {
		require.InDelta(t, allocations(10, format), allocations(1000, format), 5)
	}
}

// encodeFamilies writes the members' series.
func encodeFamilies(b *bench, w io.Writer, format expfmt.FormatType) {
	encoder := exposition.NewEncoder(w, expfmt.NewFormat(format))
	for _, family := range b.Families() {
		require.NoError(b.t, encoder.Family(&family))
	}
	require.NoError(b.t, encoder.Close())
}

func TestAttributesThatChangeMoveTheSeries(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("x:up:zone=az1:version=60")
		b.apply(d)
		b.scrape(sec)
		d.say("x:up:zone=az2:version=60")
		b.scrape(sec)
		require.NotContains(t, b.text(), "az1")
		d.say("x:up:zone=az2:version=61:reason=why")
		b.scrape(sec)
		text := b.text()
		require.NotContains(t, text, `version="60"`)
		require.Contains(t, text, `service_up{binary="",group="g",member="x",source="a",zone="az2"} 1`)
		require.Contains(t, text, `disabled_reason="why",group="g",member="x",source="a",uuid="",version="61",zone="az2"} 1`)
		require.Empty(t, b.happened())
	})
}

// A scrape that began before a poll ended shows what was known before, and nothing else.
func TestShownSeriesNeverChange(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("x:up:beat=0s:enabled y:up")
		b.apply(d)
		b.scrape(sec)
		show := func(series []*memberSeries) (shown []memberSeries) {
			for _, m := range series {
				shown = append(shown, *m)
			}
			return shown
		}
		before := b.series()
		want := show(before)
		time.Sleep(mins + sec)
		d.say("x:down:beat=0s y:up:zone=z w:up")
		b.scrape(sec)
		require.Equal(t, want, show(before))
		require.NotEqual(t, want, show(b.series()))
	})
}

func TestASeriesThatIsNoLongerTrueEnds(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("x:up:enabled:unforced")
		b.apply(d)
		b.scrape(sec)
		require.Contains(t, b.text(), "servicegroup_member_enabled{")
		d.say("x:up")
		b.scrape(sec)
		require.NotContains(t, b.text(), "servicegroup_member_enabled{")
		require.NotContains(t, b.text(), "servicegroup_member_forced_down{")
	})
}

// Only who is forced down is fenced or not.
func TestFencedIsShownWhileForcedDown(t *testing.T) {
	const fenced = `servicegroup_member_fenced{binary="",group="g",member="%s",source="a",zone=""} %d` + "\n"
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("dead:down:unforced living:up:unforced first:down:forced")
		b.apply(d)
		b.scrape(sec)
		require.NotContains(t, b.text(), fmt.Sprintf(fenced, "dead", 0))
		require.NotContains(t, b.text(), fmt.Sprintf(fenced, "living", 0))
		require.Contains(t, b.text(), fmt.Sprintf(fenced, "first", 0))
		d.say("dead:down:forced living:down:forced first:down:forced")
		b.scrape(sec)
		require.Contains(t, b.text(), fmt.Sprintf(fenced, "dead", 1))
		require.Contains(t, b.text(), fmt.Sprintf(fenced, "living", 0))
		require.Contains(t, b.text(), fmt.Sprintf(fenced, "first", 0))
		d.say("dead:down:unforced living:up:unforced first:up:unforced")
		b.scrape(sec)
		require.NotContains(t, b.text(), "servicegroup_member_fenced{")
	})
}

// TestEverythingAtOnce is for the race detector: scrapes, signals, configuration changes, failures and subscribers.
func TestEverythingAtOnce(t *testing.T) {
	b := newBench(t, Options{StoragePath: t.TempDir()})
	stop := b.background()
	var work sync.WaitGroup
	watched := watching("")
	deadline := time.Now().Add(500 * ms)
	busily := func(do func(i int)) {
		work.Go(func() {
			for i := 0; time.Now().Before(deadline); i++ {
				do(i)
			}
		})
	}
	busily(func(i int) {
		assert.NoError(t, b.Apply([]SourceConfig{
			config("watched", watched),
			changed("polled", strconv.Itoa(i/10), answering(fmt.Sprintf("x:up y:up z%d:up", i%3))),
		}))
	})
	busily(func(i int) {
		watched.say(fmt.Sprintf("g%d/x:up y:up", i%3))
		watched.signal()
		watched.fail(drivers.ReasonTimeout)
	})
	for range 3 {
		busily(func(int) {
			b.scrape(sec)
			_, err := b.exposition()
			assert.NoError(t, err)
		})
	}
	busily(func(int) {
		for _, s := range b.Snapshots() {
			assert.LessOrEqual(t, len(s.Members), 5)
		}
	})
	busily(func(int) {
		events, end := b.Subscribe(3)
		defer end()
		select {
		case <-events:
		case <-time.After(ms):
		}
	})
	work.Wait()
	require.NoError(t, stop())
}

func benchmarks(b *testing.B, run func(b *testing.B, t *bench, members []drivers.Member)) {
	for _, n := range []int{1000, 10_000, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			bench := newBench(b, Options{})
			d := answering("")
			members := manyMembers(n)
			d.answer = answer(&drivers.Poll{Members: members, Now: t0, DownTime: mins})
			bench.apply(d)
			bench.scrape(10 * sec)
			require.True(b, bench.only().Readable)
			b.ReportAllocs()
			run(b, bench, members)
		})
	}
}

// BenchmarkPoll is what a poll costs beside the backend's work when every member has given another heartbeat, each at an instant of its own.
func BenchmarkPoll(b *testing.B) {
	benchmarks(b, func(b *testing.B, t *bench, members []drivers.Member) {
		for i := range members {
			members[i].LastHeartbeat = members[i].LastHeartbeat.Add(-time.Duration(i*617%9973) * ms)
		}
		for b.Loop() {
			for i := range members {
				members[i].LastHeartbeat = members[i].LastHeartbeat.Add(ms)
			}
			t.scrape(10 * sec)
		}
	})
}

// BenchmarkEncode is what writing the series costs when nothing has changed.
func BenchmarkEncode(b *testing.B) {
	for _, format := range []expfmt.FormatType{expfmt.TypeTextPlain, expfmt.TypeOpenMetrics, expfmt.TypeProtoDelim} {
		b.Run(expfmt.NewFormat(format).Version()+"/"+strconv.Itoa(int(format)), func(b *testing.B) {
			benchmarks(b, func(b *testing.B, t *bench, _ []drivers.Member) {
				encodeFamilies(t, io.Discard, format)
				for b.Loop() {
					encodeFamilies(t, io.Discard, format)
				}
			})
		})
	}
}
