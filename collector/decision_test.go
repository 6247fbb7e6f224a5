package collector

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/collector/tracker"
	"servicegroup_exporter/drivers"
)

// decisions returns the series that rules read, without the labels that all have here.
func (b *bench) decisions() []string {
	b.t.Helper()
	of := regexp.MustCompile(`(?m)^servicegroup_(member_down|members|members_down|members_in_service|group_known|` +
		`member_disabled_timestamp_seconds|member_flapping|member_heartbeat_ahead_seconds|source_heartbeats_stalled)(\{.*)$`)
	var lines []string
	for _, found := range of.FindAllStringSubmatch(b.text(), -1) {
		line := strings.NewReplacer(`binary="",`, "", `,source="a"`, "", `source="a"`, "", `,zone=""`, "", `group="g"`, "").
			Replace(found[1] + found[2])
		line = strings.NewReplacer("{,", "{", "{}", "").Replace(line)
		if !strings.HasPrefix(line, "members{") || !strings.HasSuffix(line, " 0") {
			lines = append(lines, line)
		}
	}
	return lines
}

// Rules get the same decisions whatever member_metrics says.
func TestDecisionsAreShown(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("x@lvm#p:down:rostered:beat=-1h y:up:rostered:beat=5s:enabled:unforced z:up:rostered:beat=0s:disabled")
		cfg := config("a", d)
		cfg.UpOnly = true
		require.NoError(t, b.Apply([]SourceConfig{cfg}))
		require.Empty(t, b.decisions())
		b.scrape(sec)
		readable := []string{
			`group_known 1`,
			`member_disabled_timestamp_seconds{member="z",reason="disabled"} 9.466848e+08`,
			`member_down{host="x",member="x@lvm#p"} 1`,
			`member_heartbeat_ahead_seconds{member="y"} 5`,
			`members{state="down"} 1`,
			`members{state="out_of_service"} 1`,
			`members{state="up"} 1`,
			`members_down 1`,
			`members_in_service 2`,
			`source_heartbeats_stalled 0`,
		}
		require.Equal(t, readable, b.decisions())

		time.Sleep(mins)
		d.fail(drivers.ReasonConnect)
		b.scrape(sec)
		require.Equal(t, []string{
			`group_known 0`,
			`member_disabled_timestamp_seconds{member="z",reason="disabled"} 9.466848e+08`,
			`member_down{host="x",member="x@lvm#p"} 1`,
			`members{state="out_of_service"} 1`,
			`members{state="unknown"} 2`,
			`members_down 1`,
			`members_in_service 2`,
			`source_heartbeats_stalled 0`,
		}, b.decisions())
		require.Contains(t, b.text(), `servicegroup_group_last_known_timestamp_seconds{group="g",source="a"} 9.466848e+08`)

		d.say("x@lvm#p:up:rostered:beat=1m")
		b.scrape(sec)
		zero := `member_down{host="x",member="x@lvm#p"} 0`
		require.Contains(t, b.decisions(), zero)
		require.Contains(t, b.text(), `servicegroup_group_last_known_timestamp_seconds{group="g",source="a"} 9.4668486e+08`)

		// The zero ends after an hour, although the source can't be read.
		d.fail(drivers.ReasonConnect)
		time.Sleep(hour - sec)
		b.scrape(sec)
		require.Contains(t, b.decisions(), zero)
		time.Sleep(sec)
		b.scrape(sec)
		require.NotContains(t, b.decisions(), zero)

		require.NoError(t, b.Apply(nil))
		require.Empty(t, b.decisions(), "a removed source has no series")
	})
}

// A new configuration of a source, and a restart, keep the decisions.
func TestDecisionsSurvive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder := t.TempDir()
		b := newBench(t, Options{StoragePath: folder})
		d := answering("x:down:rostered y:down:rostered z:down:disabled:rostered")
		b.apply(d)
		b.scrape(sec)
		d.say("x:up:rostered y:down:rostered z:down:disabled:rostered")
		b.scrape(sec)
		d.fail(drivers.ReasonConnect)
		b.scrape(sec)
		before := b.decisions()
		require.Contains(t, before, `member_down{host="x",member="x"} 0`)
		require.Contains(t, before, `member_down{host="y",member="y"} 1`)
		require.NoError(t, b.Apply([]SourceConfig{changed("a", "2", d)}))
		require.Equal(t, before, b.decisions())
		require.NoError(t, b.Close())

		time.Sleep(mins)
		b = newBench(t, Options{StoragePath: folder})
		b.apply(d)
		require.Equal(t, before, b.decisions(), "before the first poll")
		b.scrape(sec)
		require.Equal(t, before, b.decisions(), "the source still can't be read")
		require.NoError(t, b.Close())

		b = newBench(t, Options{})
		b.apply(d)
		b.scrape(sec)
		require.Empty(t, b.decisions(), "without a state file nothing is known")
		require.NoError(t, b.Close())
	})
}

// A decision is in the state file soon, although no event reports it.
func TestDecisionsAreSavedSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder := t.TempDir()
		b := newBench(t, Options{StoragePath: folder})
		d := answering("x:down:enabled:rostered")
		b.apply(d)
		stop := b.background()
		time.Sleep(2 * sec)
		d.say("x:down:disabled:rostered")
		b.scrape(sec)
		time.Sleep(2 * sec)
		require.Contains(t, string(bytesOf(t, folder, "members-a.json")), "were_down")
		require.NoError(t, stop())
	})
}

// The series that rules read cost nothing while nothing changes, however many members are down or disabled.
func TestDecisionsCostNothingAtRest(t *testing.T) {
	allocations := func(n int) float64 {
		b := newBench(t, Options{})
		members := manyMembers(n)
		for i := range members {
			switch i % 3 {
			case 0:
				members[i].Up, members[i].LastHeartbeat = false, t0.Add(-hour)
			case 1:
				members[i].Enabled, members[i].DisabledReason = drivers.FlagNo, "repair"
			}
		}
		d := answering("")
		d.answer = answer(&drivers.Poll{Members: members, Now: t0, DownTime: mins})
		b.apply(d)
		s := (*b.sources.Load())[0]
		poll := func() {
			now := tracker.Instant{Wall: t0}
			s.mu.Lock()
			defer s.mu.Unlock()
			s.succeed(&drivers.Poll{Members: members, Now: t0, DownTime: mins}, now, now)
		}
		poll()
		return testing.AllocsPerRun(5, poll)
	}
	few, many := allocations(30), allocations(3000)
	require.InDelta(t, few, many, 20, "only slices grow")
}

// A group's labels are made once.
func TestGroupSeriesAreMadeWhenTheyChange(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("g/a:up:rostered i/a:up:rostered k/a:up:rostered")
		b.apply(d)
		b.scrape(sec)
		groups := func() []groupSeries { return (*b.sources.Load())[0].shown.Load().groups }
		before := slices.Clone(groups())
		d.say("h/a:down:rostered i/a:down:rostered k/a:up:rostered")
		b.scrape(sec)
		after := groups()
		require.Equal(t, []string{"h", "i", "k"}, []string{after[0].name, after[1].name, after[2].name})
		for i := range before[1:] {
			require.Same(t, before[1+i].labels, after[1+i].labels)
			require.Equal(t, before[1+i].ofState, after[1+i].ofState)
		}
		require.InDelta(t, 1, after[1].down, 0)
		require.Zero(t, before[1].down, "a scrape that is under way shows what it began with")
	})
}
