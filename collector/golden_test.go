package collector

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/collector/internal/testrows"
	"servicegroup_exporter/collector/tracker"
	"servicegroup_exporter/drivers"
)

var update = flag.Bool("update", false, "write the exposition that the tests give to testdata instead of comparing with it")

// golden compares everything that is exposed with a file.
func (b *bench) golden(name string) {
	b.t.Helper()
	file := filepath.Join("testdata", name+".prom")
	if *update {
		require.NoError(b.t, os.WriteFile(file, []byte(b.text()), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(b.t, err)
	require.Equal(b.t, string(want), b.text(), "go test -run %s -update writes it anew", b.t.Name())
}

// TestExposition polls a Nova database and a ZooKeeper through deaths and an outage, and compares what a scrape shows after
// every step.
func TestExposition(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		nova, cinder, zk := answering(""), answering(""), watching("")
		require.NoError(t, b.Apply([]SourceConfig{
			{
				Name: "nova", Driver: "db", Schema: "nova", ExpectedGroups: []string{"scheduler"},
				Suspicion: tracker.Suspicion{Enabled: true, Margin: 10 * sec},
				Open:      func() (drivers.Driver, error) { return nova, nil },
			},
			// Cinder's service on c1 dies and recovers with Nova's.
			{Name: "cinder", Driver: "db", Schema: "cinder", Open: func() (drivers.Driver, error) { return cinder, nil }},
			{Name: "zk", Driver: "zk", Layout: "flat", UpOnly: true, Open: func() (drivers.Driver, error) { return zk, nil }},
		}))
		b.golden("0_before_the_first_poll")

		chapters := []struct{ name, nova, zk string }{
			{"1_first", "c1:up:beat=-5s", "web/w1:up web/w2:up"},
			{"2_a_minute_later", "c1:down:beat=-5s", "web/w1:up"},
			{"3_back", "c1:up:beat=115s", "web/w1:up web/w2:up"},
		}
		for _, chapter := range chapters {
			nova.say(`compute/` + chapter.nova + `:unforced:enabled:rostered:binary=nova-compute:zone=az1:uuid=u1:version=61
				compute/c2:down:forced:disabled:rostered:binary=nova-compute:zone=az1:uuid=u2:version=61:reason=broken
				conductor/k1:up:beat=-1s:unforced:enabled:rostered:binary=nova-conductor:zone=internal`)
			cinder.say("cinder-volume/" + strings.Replace(chapter.nova, "c1", "c1@lvm", 1) + ":enabled:rostered:binary=cinder-volume:zone=nova")
			zk.say(chapter.zk)
			b.scrape(sec)
			b.golden(chapter.name)
			time.Sleep(mins)
		}

		nova.fail(drivers.ReasonConnect)
		zk.delay(250*ms, "web/w1:up")
		b.scrape(sec)
		b.golden("4_nova_is_lost")

		nova.say("compute/c1:down:beat=115s:unforced:enabled:rostered:binary=nova-compute:zone=az1:uuid=u1:version=61")
		b.scrape(sec)
		b.golden("5_nova_returns_but_c1_is_silent")

		nova.say("compute/c1:up:beat=10m:unforced:rostered:binary=nova-compute:zone=az1:uuid=u1:version=61")
		for _, words := range []string{"web/w1:up web/w2:up", "web/w1:up"} {
			zk.say(words)
			b.scrape(sec)
		}
		b.golden("6_c1_has_a_fast_clock_and_w2_flaps")

		nova.say(beating("c1 k1", time.Now()))
		b.scrape(sec)
		for range 5 {
			time.Sleep(10 * sec)
			nova.say(beating("c1 k1", time.Now()))
			b.scrape(sec)
		}
		last := time.Now()
		for range 3 {
			time.Sleep(9 * sec)
			nova.say(beating("c1", last) + " " + beating("k1", time.Now()))
			b.scrape(sec)
		}
		b.golden("7_c1_is_suspected")
		nova.say(beating("c1 k1", time.Now()))
		b.scrape(sec)
		b.golden("8_c1_has_reported")
	})
}

// beating returns members of group compute that sent a heartbeat at a time.
func beating(names string, at time.Time) string {
	var words []string
	for name := range strings.FieldsSeq(names) {
		words = append(words, fmt.Sprintf("compute/%s:up:beat=%s:unforced:rostered:binary=nova-compute:zone=az1", name, at.Sub(testrows.Start())))
	}
	return strings.Join(words, " ")
}

// Every metric is in one of the golden files.
func TestTheExpositionIsComplete(t *testing.T) {
	b := newBench(t, Options{})
	var shown strings.Builder
	files, err := filepath.Glob("testdata/*.prom")
	require.NoError(t, err)
	require.Len(t, files, 9)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		shown.Write(text)
	}
	for _, desc := range b.env.descs.all {
		_, name, ok := strings.Cut(desc.String(), `fqName: "`)
		require.True(t, ok)
		name, _, _ = strings.Cut(name, `"`)
		require.Contains(t, shown.String(), "\n"+name+"{", name)
	}
	for _, family := range b.Families() {
		require.Contains(t, shown.String(), "\n"+family.Name+"{", family.Name)
	}
}

func TestLint(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		b.apply(answering("x:up:beat=0s:enabled:unforced"))
		b.scrape(sec)
		problems, err := testutil.GatherAndLint(b.reg)
		require.NoError(t, err)
		// A summary would grow with each poll, and twice as fast with two scrapers. These are of the last poll.
		problems = slices.DeleteFunc(problems, func(p promlint.Problem) bool {
			return p.Metric == "servicegroup_heartbeat_age_seconds" && strings.Contains(p.Text, `"quantile" label`)
		})
		require.Empty(t, problems)
	})
}

// No metric has a label that Prometheus or Kubernetes sets.
func TestNoLabelCollides(t *testing.T) {
	text, err := os.ReadFile("testdata/1_first.prom")
	require.NoError(t, err)
	for _, label := range []string{"service", "job", "instance", "namespace", "pod", "endpoint", "container"} {
		require.NotRegexp(t, `[{,]`+label+`="`, string(text))
	}
}

func TestHistogramsAreNativeToo(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("x:up:beat=0s")
		b.apply(d)
		b.scrape(sec)
		time.Sleep(61 * sec)
		d.say("x:down:beat=0s")
		b.scrape(sec)
		families, err := b.reg.Gather()
		require.NoError(t, err)
		found := 0
		for _, family := range families {
			if family.GetName() == "servicegroup_detection_latency_seconds" {
				found++
				h := family.GetMetric()[0].GetHistogram()
				require.NotNil(t, h.Schema)
				require.Len(t, h.GetPositiveSpan(), 1)
				require.NotEmpty(t, h.GetBucket())
				require.InDelta(t, 61, h.GetSampleSum(), 0)
			}
		}
		require.Equal(t, 1, found)
	})
}

// Every member of a group is in exactly one of four series, which are always there.
func TestEachMemberIsInOneState(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("x:up:rostered y:up:rostered")
		b.apply(d)
		b.scrape(sec)
		require.Contains(t, b.text(), `servicegroup_members{group="g",source="a",state="up"} 2`)
		d.answer = answer(&drivers.Poll{Members: rows("x:up:rostered"), Unknown: rows("y:rostered")})
		b.scrape(sec)
		require.Contains(t, b.text(), `servicegroup_members{group="g",source="a",state="down"} 0`)
		require.Contains(t, b.text(), `servicegroup_members{group="g",source="a",state="out_of_service"} 0`)
		require.Contains(t, b.text(), `servicegroup_members{group="g",source="a",state="up"} 1`)
		require.Contains(t, b.text(), `servicegroup_members{group="g",source="a",state="unknown"} 1`)
		snapshot := b.Snapshots()[0]
		require.True(t, snapshot.Members[1].InDoubt)
		require.Contains(t, b.text(), `servicegroup_source_unknown_members{source="a"} 1`)
		d.answer = answer(&drivers.Poll{
			Members: rows("x:up:rostered"), Rejected: []drivers.Rejection{{Group: "g", Name: "y", Reason: "data"}},
		})
		b.scrape(sec)
		require.Contains(t, b.text(), `servicegroup_members{group="g",source="a",state="up"} 1`)
		require.Contains(t, b.text(), `servicegroup_source_unknown_members{source="a"} 1`)
		require.False(t, b.Snapshots()[0].Members[1].InDoubt)
		require.NotContains(t, b.text(), `service_up{binary="",group="g",member="y"`)
	})
}

func TestTheHistogramsOfAGroupEndAWhileAfterIt(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("x:up:rostered h/y:up:rostered")
		b.apply(d)
		b.scrape(sec)
		d.say("x:up:rostered")
		b.scrape(sec)
		require.NotContains(t, b.text(), `servicegroup_members{group="h"`)
		require.Contains(t, b.text(), `_count{group="h"`)
		time.Sleep(DefaultForgetAfter)
		b.scrape(sec)
		require.NotContains(t, b.text(), `group="h"`)
		require.Contains(t, b.text(), `_count{group="g"`)
	})
}

func TestMetricsCanNotBeRegisteredTwice(t *testing.T) {
	b := newBench(t, Options{})
	_, err := New(Options{Registerer: b.reg})
	require.ErrorContains(t, err, "registering metrics")
	_, err = New(Options{})
	require.NoError(t, err)
}

func TestOddLabelsCostNothingButThemselves(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("")
		members := append(rows("x:up x:down y:up"),
			drivers.Member{Group: "g", Name: "bad\xff", Up: true},
			drivers.Member{Group: "g", Name: "z", Up: true, Zone: "az\xff", DisabledReason: "\"\\\n\x00"})
		d.answer = answer(&drivers.Poll{Members: members, Rejected: []drivers.Rejection{{Reason: "data"}}})
		b.apply(d)
		b.scrape(sec)
		text := b.text()
		require.Contains(t, text, `service_up{binary="",group="g",member="x",source="a",zone=""} 1`)
		require.Contains(t, text, `service_up{binary="",group="g",member="z",source="a",zone="az`+"\uFFFD"+`"} 1`)
		require.Contains(t, text, `rejected_members_total{reason="name",source="a"} 1`)
		require.Contains(t, text, `rejected_members_total{reason="duplicate",source="a"} 1`)
		require.Contains(t, text, `rejected_members_total{reason="data",source="a"} 1`)
		require.Contains(t, text, `servicegroup_members{group="g",source="a",state="up"} 3`)
		b.scrape(sec)
		require.Contains(t, b.text(), `rejected_members_total{reason="name",source="a"} 2`)
	})
}

func TestWhatIsLogged(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("x:up y:up")
		b.apply(d)
		b.scrape(sec)
		require.Empty(t, b.log.String())
		d.say("y:up n:up")
		b.scrape(sec)
		d.fail(drivers.ReasonAuth)
		b.scrape(sec)
		b.scrape(sec)
		d.say("x:up y:up n:up")
		b.scrape(sec)
		require.Equal(t, 1, strings.Count(b.log.String(), "Source can't be read"))
		for _, line := range []string{
			`level=WARN msg="Member died" component=collector source=a group=g member=x latency=1m0s`,
			`level=INFO msg="Member changed" component=collector source=a group=g member=n event=join`,
			`level=WARN msg="Source can't be read" component=collector source=a reason=auth err="it is broken"`,
			`level=INFO msg="Source can be read again" component=collector source=a`,
			`level=INFO msg="Member recovered" component=collector source=a group=g member=x outage=1m0s`,
		} {
			require.Contains(t, b.log.String(), line)
		}
	})
}

func TestManyChangesAreLoggedInShort(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("")
		d.answer = answer(&drivers.Poll{Members: manyMembers(1000)})
		b.apply(d)
		b.scrape(sec)
		d.say("")
		b.scrape(sec)
		require.Len(t, b.happened(), 1000)
		require.Equal(t, logAtMost, strings.Count(b.log.String(), "event=leave"))
		require.Contains(t, b.log.String(), "not_shown=980")
	})
}

func TestRejectedEntriesAreLoggedWhenThatIsNew(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("x:up x:up")
		b.apply(d)
		b.scrape(sec)
		b.scrape(sec)
		require.Equal(t, 1, strings.Count(b.log.String(), "can't be used"))
		d.say("x:up x:up x:up")
		b.scrape(sec)
		require.Equal(t, 2, strings.Count(b.log.String(), "can't be used"))
	})
}

func TestSourceLostSaysWhy(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("")
		d.fail(drivers.ReasonSchema)
		b.apply(d)
		b.scrape(sec)
		synctest.Wait()
		e := <-b.events
		require.Equal(t, EventSourceLost, e.Type)
		require.Equal(t, "a", e.Source)
		require.Equal(t, drivers.ReasonSchema, drivers.ReasonOf(e.Err))
		require.ErrorIs(t, e.Err, drivers.ErrUnavailable)
	})
}
