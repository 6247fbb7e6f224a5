package drill

import (
	"context"
	"encoding/json"
	"fmt"
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
		Source: s, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), Progress: printed{t.Output(), nil},
		Members: 20, Rate: 50, Kill: 0.4, Partition: 0.2, Pause: 0.1, Flap: 0.1,
		Baseline: 2 * time.Second, Duration: 2*downTime + 4*time.Second,
	}
}

// On every backend all deaths are detected, no live member is reported dead, and the detection latency that the exporter
// reports for a death differs from the true one by at most what docs/drill.md says for the backend.
func TestDrillsOnAllBackends(t *testing.T) {
	type result struct {
		backend
		report *Report
		err    error
	}
	results := map[string]*result{
		// memcached is started first: the driver does not trust a server whose uptime is too short.
		"memcached": {backend: memcached(t)},
		"mariadb":   {backend: mariadb(t)}, "postgresql": {backend: postgres(t)}, "sqlite": {backend: sqlite(t)},
		"zookeeper": {backend: zookeeper(t)}, "ensemble": {backend: ensemble(t)},
	}
	var drills sync.WaitGroup // Drills mostly wait, so all at once take little longer than one.
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

			require.GreaterOrEqual(t, r.Detection[scenarioKill].Count, 8)
			require.Equal(t, name == "sqlite", r.Scenarios[scenarioPartition] == 0, "an embedded store has no network that could be cut")
			if name != "sqlite" {
				require.GreaterOrEqual(t, r.Detection[scenarioPartition].Count, 4)
			}
			require.Zero(t, r.Undetected)

			// Timers of this process, polls and heartbeats may be late by this much. Members that are late by several heartbeats
			// are rightly seen down. A recovery is a heartbeat and a poll, so heartbeats take no longer than the longest one.
			late := r.TimerLag + r.Polls.Longest + r.Recovery[all].Max
			punctual := late < downTime.Seconds()/3
			if punctual {
				require.Zero(t, r.Accuracy.Mistakes, "%+v", r.Mistakes)
				require.InDelta(t, 1, r.Accuracy.Query, 0)
			}
			require.Equal(t, r.Detection[all].Count, r.ReportError.Count, "a latency is reported for every detected death")
			require.GreaterOrEqual(t, r.ReportError.Min, -b.maxUnder.Seconds()-late)
			require.LessOrEqual(t, r.ReportError.Max, b.maxOver.Seconds()+late)
			require.Zero(t, b.countLeft(t))

			require.Equal(t, name == "sqlite", r.Baseline.BackendCPU == nil)
			if name != "sqlite" {
				require.Positive(t, r.Baseline.Members.Sends)
				require.Positive(t, r.Baseline.Members.BytesIn)
			}
			require.Positive(t, r.Baseline.Requests)
			if punctual {
				require.GreaterOrEqual(t, r.Baseline.PerSecond(r.Baseline.Requests), 0.5/pollInterval.Seconds())
			}
			if punctual && name != "sqlite" {
				// Each member sends a proof of life twice per second, to ZooKeeper once per second.
				require.GreaterOrEqual(t, r.Baseline.PerSecond(r.Baseline.Members.Sends), 20*0.8)
			}
			data, err := json.Marshal(r)
			require.NoError(t, err)
			var again Report
			require.NoError(t, json.Unmarshal(data, &again))
			require.Equal(t, r.Detection, again.Detection)
		})
	}
}

// An interrupted drill removes its members, at every step.
func TestInterruptedDrillRemovesMembers(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]string{"joining": "joining", "baseline": "measuring", "scenarios": "running the scenarios"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := sqlite(t)
			opts := options(t, b.Source)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			opts.Progress = printed{t.Output(), func(text string) {
				if strings.HasPrefix(text, after) {
					time.AfterFunc(200*time.Millisecond, cancel)
				}
			}}
			r, err := Run(ctx, opts)
			require.ErrorIs(t, err, context.Canceled)
			require.ErrorContains(t, err, "interrupted")
			require.Zero(t, b.countLeft(t))

			// What was measured until then is reported. On a busy machine no member may have joined.
			if r == nil && name == "joining" {
				return
			}
			require.Positive(t, r.Joining.Joined)
			require.Equal(t, r.Joining.Joined, r.Joining.Latency.Count)
			require.Contains(t, r.EndedEarly, "interrupted")
			require.Equal(t, name == "joining", r.Joining.Joined < r.Members)
			require.Equal(t, name == "joining", r.Baseline == nil)
			require.Equal(t, name == "scenarios", r.Duration > 0)
			var text strings.Builder
			require.NoError(t, r.WriteText(&text))
			require.Contains(t, text.String(), "The drill ended early")
			require.Contains(t, text.String(), "\njoin ")
		})
	}
}

// printed prints the progress of a drill, and calls a function with it.
type printed struct {
	io.Writer
	call func(text string) // may be nil
}

func (p printed) Step(text string) { p.print("step: ", text) }

func (p printed) Status(text string) { p.print("status: ", text) }

func (p printed) print(kind, text string) {
	fmt.Fprintln(p, kind+text)
	if p.call != nil {
		p.call(text)
	}
}

// A drill does not use a group that already has members.
func TestGroupWithMembersIsRefused(t *testing.T) {
	t.Parallel()
	b := sqlite(t)
	s := b.Source
	open := s.Open
	s.Open = func(group string, names []string, dial drivers.Dialer) (drivers.Driver, error) {
		driver, err := open(group, names, dial)
		if err == nil {
			_, err = driver.(drivers.Joiner).Join(t.Context(), drivers.JoinRequest{Group: group, Name: "other"})
		}
		return driver, err
	}
	_, err := Run(t.Context(), options(t, s))
	require.ErrorContains(t, err, "already has members")
	require.Equal(t, 1, b.countLeft(t))
}

func TestValidateOptions(t *testing.T) {
	good := options(t, probe.Source{PollInterval: time.Second})
	require.NoError(t, good.Validate())
	for want, change := range map[string]func(*Options){
		"--members is 0, must be from 1 to 10000":                                      func(o *Options) { o.Members = 0 },
		"--members is 10001, must be from 1 to 10000":                                  func(o *Options) { o.Members = MaxMembers + 1 },
		"--rate is 0, must be more than 0 and at most 1000 joins per second":           func(o *Options) { o.Rate = 0 },
		"--partition is -0.1, must be from 0 to 1":                                     func(o *Options) { o.Partition = -0.1 },
		"the sum of --kill, --partition, --pause and --flap is 1.3, must be at most 1": func(o *Options) { o.Kill = 0.9 },
		"--duration is 2h0m0s, must be from 0s to 1h0m0s":                              func(o *Options) { o.Duration = 2 * time.Hour },
		"a drill needs a poll interval":                                                func(o *Options) { o.Source.PollInterval = 0 },
	} {
		bad := good
		change(&bad)
		require.ErrorContains(t, bad.Validate(), want)
	}
}

func TestScenariosOfMembers(t *testing.T) {
	for _, members := range []int{1, 2, 3, 7, 10, 50, 997, 1000} {
		o := Options{Members: members, Kill: 0.3, Partition: 0.1, Pause: 0.001, Flap: 0.1}
		count := map[scenario]int{}
		for _, f := range o.scenarios() {
			count[f]++
		}
		if members >= 50 {
			require.InDelta(t, 0.3, float64(count[scenarioKill])/float64(members), 0.01)
			require.Equal(t, max(members/1000, 1), count[scenarioPause], "a scenario with a share above zero has a member")
			require.InDelta(t, 0.5, float64(count[scenarioLive])/float64(members), 0.03)
		}
		require.Len(t, o.scenarios(), members)
		require.Positive(t, count[scenarioKill])
	}
}
