package canary

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/db"
	"servicegroup_exporter/probe"
)

// start runs canaries until stop is called.
func start(t *testing.T, sources ...Source) (c *Canaries, stop func()) {
	t.Helper()
	c, err := New(Options{Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), Registerer: prometheus.NewPedanticRegistry(), Member: "one"})
	require.NoError(t, err)
	c.Use(sources)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		assert.NoError(t, c.Run(ctx))
	}()
	return c, func() {
		cancel()
		<-done
	}
}

// histogramOf returns the histogram of the source in these tests.
func histogramOf(t *testing.T, vec *prometheus.HistogramVec) *dto.Histogram {
	t.Helper()
	var m dto.Metric
	require.NoError(t, vec.WithLabelValues("lab").(prometheus.Metric).Write(&m))
	return m.GetHistogram()
}

func value(c prometheus.Collector) float64 { return testutil.ToFloat64(c) }

func TestRoundsMeasureDetectionAndRecovery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		c, stop := start(t, Source{Source: f.source(), Interval: time.Minute, Group: config.CanaryPrefix})
		begun := time.Now()
		time.Sleep(3*time.Minute - time.Second)
		require.InDelta(t, 3, value(c.metrics.rounds.WithLabelValues("lab")), 0)
		detection, recovery := histogramOf(t, c.metrics.detection), histogramOf(t, c.metrics.recovery)
		require.Equal(t, uint64(3), detection.GetSampleCount())
		require.GreaterOrEqual(t, detection.GetSampleSum(), 3*downTime.Seconds())
		require.LessOrEqual(t, detection.GetSampleSum(), 3*(downTime+500*time.Millisecond).Seconds())
		require.Equal(t, uint64(3), recovery.GetSampleCount())
		require.LessOrEqual(t, recovery.GetSampleSum(), 3*0.5)
		require.NotEmpty(t, detection.GetPositiveSpan(), "the histogram is native too")
		require.InDelta(t, begun.Add(2*time.Minute+downTime).Unix(), value(c.metrics.lastSuccess.WithLabelValues("lab")), 7)
		require.Zero(t, f.count(), "no member remains between rounds")

		time.Sleep(5 * time.Second)
		require.Equal(t, 1, f.count())
		stop()
		require.Zero(t, f.count(), "no member remains when the process stops during a round")
		for _, r := range reasons() {
			require.Zero(t, value(c.metrics.failures.WithLabelValues("lab", string(r))), r)
		}
	})
}

// A failed round is counted by reason, removes the canary, and is not counted as a detection.
func TestFailedRounds(t *testing.T) {
	for want, injectFault := range map[reason]func(*fake){
		reasonUnavailable: func(f *fake) { f.noPolls = true },
		reasonJoin:        func(f *fake) { f.noJoin = true },
		reasonUnseen:      func(f *fake) { f.alwaysDown = true },
		reasonUndetected:  func(f *fake) { f.alwaysUp = true },
		reasonLeave:       func(f *fake) { f.noLeave = true },
	} {
		t.Run(string(want), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				injectFault(f)
				c, stop := start(t, Source{Source: f.source(), Interval: time.Hour, Group: config.CanaryPrefix})
				time.Sleep(2 * minPatience)
				stop()
				require.InDelta(t, 1, value(c.metrics.rounds.WithLabelValues("lab")), 0)
				for _, r := range reasons() {
					failures := value(c.metrics.failures.WithLabelValues("lab", string(r)))
					if r == want {
						require.InDelta(t, 1, failures, 0, r)
					} else {
						require.Zero(t, failures, r)
					}
				}
				require.Zero(t, value(c.metrics.lastSuccess.WithLabelValues("lab")))
				if want != reasonLeave {
					require.Zero(t, f.count())
					require.Zero(t, histogramOf(t, c.metrics.detection).GetSampleCount())
				}
			})
		})
	}
}

// A canary that can't return is counted as one that can't join.
func TestFailedReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.noReturn = true
		c, stop := start(t, Source{Source: f.source(), Interval: time.Hour, Group: config.CanaryPrefix})
		time.Sleep(minPatience)
		stop()
		require.InDelta(t, 1, value(c.metrics.failures.WithLabelValues("lab", string(reasonJoin))), 0)
		require.Equal(t, uint64(1), histogramOf(t, c.metrics.detection).GetSampleCount(), "its death was seen")
		require.Zero(t, f.count())
	})
}

// When the configuration changes, unchanged canaries keep running, and the series of removed canaries are deleted.
func TestUseAppliesConfiguration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		s := Source{Source: f.source(), Interval: time.Hour, Group: config.CanaryPrefix, Fingerprint: "a"}
		c, stop := start(t, s)
		defer stop()
		time.Sleep(time.Minute)
		c.Use([]Source{s})
		time.Sleep(time.Minute)
		require.InDelta(t, 1, value(c.metrics.rounds.WithLabelValues("lab")), 0, "an unchanged canary keeps its schedule")
		s.Fingerprint = "b"
		c.Use([]Source{s})
		time.Sleep(time.Minute)
		require.InDelta(t, 2, value(c.metrics.rounds.WithLabelValues("lab")), 0, "a changed canary starts a new round and keeps its counters")
		c.Use(nil)
		synctest.Wait()
		require.Zero(t, testutil.CollectAndCount(c.metrics.rounds))
		require.Zero(t, testutil.CollectAndCount(c.metrics.failures))
		require.Zero(t, testutil.CollectAndCount(c.metrics.detection))
	})
}

// A canary on a real store works when scrapes are the only cause of polls.
func TestPollsByScrapesOnly(t *testing.T) {
	cfg := db.DefaultConfig()
	cfg.DSN = drivers.SecretText("sqlite:///" + filepath.Join(t.TempDir(), "members.db"))
	cfg.ServiceDownTime, cfg.ReportInterval = drivers.Duration(time.Second), drivers.Duration(200*time.Millisecond)
	cfg = cfg.Private()
	open := func(string, []string, drivers.Dialer) (drivers.Driver, error) {
		return db.Open(cfg, slog.New(slog.DiscardHandler))
	}
	c, stop := start(t, Source{
		Source:   probe.Source{Name: "lab", Driver: "db", PollTimeout: 5 * time.Second, Open: open},
		Interval: 50 * time.Millisecond, Group: config.CanaryPrefix,
	})
	require.Eventually(t, func() bool {
		c.Trigger()
		return value(c.metrics.rounds.WithLabelValues("lab")) >= 2
	}, time.Minute, 100*time.Millisecond)
	stop()
	detection := histogramOf(t, c.metrics.detection)
	require.GreaterOrEqual(t, detection.GetSampleCount(), uint64(2))
	// The last proof of life was up to one report interval before the death, and is stored with milliseconds.
	require.GreaterOrEqual(t, detection.GetSampleSum()/float64(detection.GetSampleCount()), 0.75)
	d, err := open("", nil, nil)
	require.NoError(t, err)
	defer d.Close()
	poll, err := d.Members(t.Context())
	require.NoError(t, err)
	require.Empty(t, poll.Members)
}
