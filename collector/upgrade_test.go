package collector

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/collector/tracker"
	"servicegroup_exporter/drivers"
)

// stateOf85fa32d has the state files that commit 85fa32d of this program wrote: its source "nova" is a database of Nova, whose
// heartbeats may be 4 s old, and its source "web" is a ZooKeeper. Of the members of nova,
//
//   - compute1, compute3 (disabled) and compute6 had died, and compute6 was forced down after that,
//   - compute4 had left,
//   - compute5 was forced down while it was up,
//   - compute2 stopped before an outage of 6.5 s and was in grace at the end,
//   - compute7 was up.
//
// Of the members of web, w1 had died and w2 was up.
const stateOf85fa32d = "testdata/state_of_85fa32d"

// An upgrade is a collector that starts with those files.
type upgrade struct {
	*Collector
	folder    string
	now       time.Time
	nova, web *drivers.Poll
	events    <-chan Event
}

func newUpgrade(t *testing.T) *upgrade {
	t.Helper()
	u := &upgrade{folder: t.TempDir(), now: at(t, "16:40:28.3")}
	require.NoError(t, os.CopyFS(u.folder, os.DirFS(stateOf85fa32d)))
	began := u.now
	c, err := newCollector(Options{StoragePath: u.folder}, func() tracker.Instant {
		return tracker.Instant{Wall: u.now, Mono: u.now.Sub(began)}
	})
	require.NoError(t, err)
	u.Collector = c
	u.nova = &drivers.Poll{DownTime: 4 * sec, Members: []drivers.Member{
		{Name: "compute1", LastHeartbeat: at(t, "16:40:06"), Enabled: drivers.FlagYes, ForcedDown: drivers.FlagNo},
		{Name: "compute2", LastHeartbeat: at(t, "16:40:18"), Enabled: drivers.FlagYes, ForcedDown: drivers.FlagNo},
		{Name: "compute3", LastHeartbeat: at(t, "16:40:06"), Enabled: drivers.FlagNo, ForcedDown: drivers.FlagNo},
		{Name: "compute5", LastHeartbeat: at(t, "16:40:06"), Enabled: drivers.FlagYes, ForcedDown: drivers.FlagYes},
		{Name: "compute6", LastHeartbeat: at(t, "16:40:06"), Enabled: drivers.FlagYes, ForcedDown: drivers.FlagYes},
		{Name: "compute7", LastHeartbeat: at(t, "16:40:28"), Up: true, Enabled: drivers.FlagYes, ForcedDown: drivers.FlagNo},
	}}
	for i := range u.nova.Members {
		m := &u.nova.Members[i]
		m.Group, m.Rostered, m.Binary, m.Version = "compute", true, "nova-compute", "61"
		m.UUID = "uuid-" + strings.TrimPrefix(m.Name, "compute")
	}
	u.web = &drivers.Poll{DownTime: 4 * sec, Members: []drivers.Member{
		{Group: "web", Name: "w1", Rostered: true, SessionTimeout: 4 * sec},
		{Group: "web", Name: "w2", Up: true, Rostered: true},
	}}
	require.NoError(t, c.Apply([]SourceConfig{config("nova", giving(u.nova, nil)), config("web", giving(u.web, nil))}))
	u.events, _ = c.Subscribe(100)
	return u
}

// at returns a time of the day on which the files were written.
func at(t *testing.T, clock string) time.Time {
	t.Helper()
	parsed, err := time.Parse(time.RFC3339Nano, "2026-11-28T"+clock+"Z")
	require.NoError(t, err)
	return parsed
}

// pollAt polls all sources at a time, and returns what happened.
func (u *upgrade) pollAt(t *testing.T, clock string) []Event {
	t.Helper()
	u.now = at(t, clock)
	u.nova.Now = u.now
	u.Poll(t.Context())
	var events []Event
	for {
		select {
		case e := <-u.events:
			events = append(events, e)
		default:
			return events
		}
	}
}

// member returns a member of either source.
func (u *upgrade) member(t *testing.T, name string) MemberState {
	t.Helper()
	for _, s := range u.Snapshots() {
		for _, m := range s.Members {
			if m.Name == name {
				return m
			}
		}
	}
	require.Fail(t, "there is no member "+name)
	return MemberState{}
}

func TestTheDeadStayDeadWithAStateOf85fa32d(t *testing.T) {
	u := newUpgrade(t)
	require.Empty(t, u.pollAt(t, "16:40:28.3"), "no second death, and no event for a member that left before")
	for name, since := range map[string]string{
		"compute1": "16:40:10.402378087", "compute3": "16:40:10.402378087", "compute6": "16:40:10.402378087",
		"w1": "16:40:10.739652174",
	} {
		m := u.member(t, name)
		require.Equal(t, Down, m.State, name)
		require.Equal(t, at(t, since), m.Since.UTC(), name)
		require.Equal(t, uint64(1), m.Transitions, name)
		require.Equal(t, name == "compute6", m.Fenced, name)
	}
	require.Equal(t, drivers.FlagNo, u.member(t, "compute3").Enabled)
	forced := u.member(t, "compute5")
	require.Equal(t, Down, forced.State)
	require.False(t, forced.Fenced)
	require.Zero(t, forced.Transitions)
	require.Equal(t, Up, u.member(t, "compute7").State)
	require.Equal(t, Up, u.member(t, "w2").State)
	require.Equal(t, []GroupState{{Name: "compute", LastKnown: time.Time{}}}, u.Snapshots()[0].Groups,
		"compute2 was in doubt at the end, and still is")
	require.Equal(t, []GroupState{{Name: "web", InService: 2, Down: 1, Known: true, LastKnown: u.now}}, u.Snapshots()[1].Groups)
	inGrace := u.member(t, "compute2")
	require.Equal(t, Unknown, inGrace.State)
	require.True(t, inGrace.InDoubt)

	events := u.pollAt(t, "16:40:30")
	require.Len(t, events, 1, "the grace is over")
	require.Equal(t, EventDeath, events[0].Type)
	require.Equal(t, "compute2", events[0].Member.Name)
	require.Equal(t, 12*sec, events[0].Latency)

	u.nova.Members[0].Up, u.nova.Members[0].LastHeartbeat = true, at(t, "16:40:40")
	events = u.pollAt(t, "16:40:40")
	require.Len(t, events, 1)
	require.Equal(t, EventRecovery, events[0].Type)
	// It was silent for 4.402944052 s when it was found dead at 16:40:10.402378087.
	require.Equal(t, 34*sec+565965*time.Nanosecond, events[0].Latency)
	require.NoError(t, u.Close())
}

// The names of the files and what is in them stay the same, so that an older release can read them again. It ignores what was
// added.
func TestStateFilesAreWrittenAs85fa32dWroteThem(t *testing.T) {
	u := newUpgrade(t)
	u.pollAt(t, "16:40:28.4")
	require.NoError(t, u.Close())
	for _, file := range []string{"members-nova.json", "members-web.json"} {
		require.NotEqual(t, bytesOf(t, stateOf85fa32d, file), bytesOf(t, u.folder, file), "it was written again")
		before, after := stateFile(t, stateOf85fa32d, file), stateFile(t, u.folder, file)
		for i, m := range before.Members {
			if name := m["name"]; name == "compute1" || name == "compute6" || name == "w1" {
				for key, value := range m {
					require.Equal(t, value, after.Members[i][key], key)
				}
			}
		}
		require.Equal(t, before.Gaps, after.Gaps)
		require.Equal(t, before.Version, after.Version)
	}
}

type rawState struct {
	Version int
	Gaps    []map[string]any
	Members []map[string]any
}

func stateFile(t *testing.T, folder, name string) (s rawState) {
	t.Helper()
	require.NoError(t, json.Unmarshal(bytesOf(t, folder, name), &s))
	return s
}

func bytesOf(t *testing.T, folder, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, name))
	require.NoError(t, err)
	return data
}
