package drill

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/probe"
)

func options(t *testing.T, s probe.Source) Options {
	return Options{
		Source: s, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), Progress: t.Output(),
		Members: 20, Rate: 50, Kill: 0.4, Cut: 0.2, Freeze: 0.1, Flap: 0.1,
		Steady: 2 * time.Second, Duration: 2*downTime + 4*time.Second,
	}
}

// With every backend, all deaths are noticed, nobody who lives is called dead, and the detection latency that the exporter
// reports of a death agrees with the true one within what the documentation says of the backend.
func TestBackends(t *testing.T) {
	type result struct {
		backend
		report *Report
		err    error
	}
	results := map[string]*result{
		// It comes first, so that it is not so new any more that it is not believed.
		"memcached": {backend: memcached(t)},
		"mariadb":   {backend: mariadb(t)}, "postgresql": {backend: postgres(t)}, "sqlite": {backend: sqlite(t)},
		"zookeeper": {backend: zookeeper(t)}, "ensemble": {backend: ensemble(t)},
	}
	var drills sync.WaitGroup // They wait most of the time: all at once take little longer than one.
	for _, b := range results {
		drills.Go(func() { b.report, b.err = Run(t.Context(), options(t, b.Source)) })
	}
	drills.Wait()
	for name, b := range results {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, b.err)
			r := b.report
			var text strings.Builder
			require.NoError(t, r.WriteText(&text))
			t.Log(text.String())

			require.GreaterOrEqual(t, r.Detection[fateKill].Count, 8)
			require.Equal(t, name == "sqlite", r.Fates[fateCut] == 0, "an embedded store has no network to be cut")
			if name != "sqlite" {
				require.GreaterOrEqual(t, r.Detection[fateCut].Count, 4)
			}
			require.Zero(t, r.Undetected)
			require.Zero(t, r.Accuracy.Mistakes, "%+v", r.Mistakes)
			require.InDelta(t, 1, r.Accuracy.Query, 0)

			// Members, polls and timers of this very process are late by so much.
			late := r.Lateness + r.Polls.Longest
			require.Equal(t, r.Detection[all].Count, r.ReportError.Count, "a latency was reported of every death that was seen")
			require.GreaterOrEqual(t, r.ReportError.Min, -b.less.Seconds()-late)
			require.LessOrEqual(t, r.ReportError.Max, b.more.Seconds()+late)
			require.Zero(t, b.left(t))

			require.Equal(t, name == "sqlite", r.Steady.BackendCPU == nil)
			if name != "sqlite" {
				// Each member proves that it lives twice a second, or once to ZooKeeper.
				require.GreaterOrEqual(t, r.Steady.PerSecond(r.Steady.Members.Sends), 20*0.8)
				require.Positive(t, r.Steady.Members.BytesIn)
			}
			require.GreaterOrEqual(t, r.Steady.PerSecond(r.Steady.Requests), 0.5/pollInterval.Seconds())
			data, err := json.Marshal(r)
			require.NoError(t, err)
			var again Report
			require.NoError(t, json.Unmarshal(data, &again))
			require.Equal(t, r.Detection, again.Detection)
		})
	}
}

// An interrupted drill removes its members too, whatever it is doing.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]string{"joining": "joining", "steady": "measuring", "acting": "letting things happen"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := sqlite(t)
			opts := options(t, b.Source)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			opts.Progress = trigger{after, func() { time.AfterFunc(200*time.Millisecond, cancel) }, t.Output()}
			r, err := Run(ctx, opts)
			require.ErrorIs(t, err, context.Canceled)
			require.ErrorContains(t, err, "interrupted")
			require.Nil(t, r)
			require.Zero(t, b.left(t))
		})
	}
}

// A trigger does something when a text begins in a certain way.
type trigger struct {
	text string
	do   func()
	io.Writer
}

func (w trigger) Write(p []byte) (int, error) {
	if strings.HasPrefix(string(p), w.text) {
		w.do()
	}
	return w.Writer.Write(p)
}

// A drill does not touch a group that has members, whoever they are.
func TestForeignGroup(t *testing.T) {
	t.Parallel()
	b := sqlite(t)
	s := b.Source
	open := s.Open
	s.Open = func(group string, names []string, dial drivers.Dialer) (drivers.Driver, error) {
		driver, err := open(group, names, dial)
		if err == nil {
			_, err = driver.(drivers.Joiner).Join(t.Context(), drivers.JoinRequest{Group: group, Name: "somebody"})
		}
		return driver, err
	}
	_, err := Run(t.Context(), options(t, s))
	require.ErrorContains(t, err, "has members already")
	require.Equal(t, 1, b.left(t))
}

func TestValidate(t *testing.T) {
	good := options(t, probe.Source{PollInterval: time.Second})
	require.NoError(t, good.Validate())
	for want, change := range map[string]func(*Options){
		"the number of members must be from 1 to 10000, not 0":         func(o *Options) { o.Members = 0 },
		"the number of members must be from 1 to 10000, not 10001":     func(o *Options) { o.Members = MaxMembers + 1 },
		"the rate must be more than 0 and at most 1000 joins a second": func(o *Options) { o.Rate = 0 },
		"the share of members to cut must be from 0 to 1, not -0.1":    func(o *Options) { o.Cut = -0.1 },
		"the shares of members to kill, cut, freeze and flap are 1.3":  func(o *Options) { o.Kill = 0.9 },
		"the duration time must be from 0 to 1h0m0s, not 2h0m0s":       func(o *Options) { o.Duration = 2 * time.Hour },
		"a drill needs a poll interval":                                func(o *Options) { o.Source.PollInterval = 0 },
	} {
		bad := good
		change(&bad)
		require.ErrorContains(t, bad.Validate(), want)
	}
}

func TestFates(t *testing.T) {
	for _, members := range []int{1, 2, 3, 7, 10, 50, 997, 1000} {
		o := Options{Members: members, Kill: 0.3, Cut: 0.1, Freeze: 0.001, Flap: 0.1}
		count := map[fate]int{}
		for _, f := range o.fates() {
			count[f]++
		}
		if members >= 50 {
			require.InDelta(t, 0.3, float64(count[fateKill])/float64(members), 0.01)
			require.Equal(t, max(members/1000, 1), count[fateFreeze], "whatever is asked for happens to somebody")
			require.InDelta(t, 0.5, float64(count[fateLive])/float64(members), 0.03)
		}
		require.Len(t, o.fates(), members)
		require.Positive(t, count[fateKill])
	}
}
