package tracker

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

// savedOf is what a tracker with two members saves.
func savedOf(source string) *Saved {
	tr := New(Options{Source: source, Settings: Settings{ForgetAfter: hour}})
	tr.Observe(&drivers.Poll{Members: rows("a:up b:down")}, Instant{Wall: t0}, Instant{Wall: t0})
	return tr.Save()
}

func TestARestoredTrackerSavesTheSame(t *testing.T) {
	tr := newTracker(hour)
	all := "a:up:beat=0s:rostered:enabled:unforced:session=4s:binary=nova-compute:zone=z:uuid=u:version=61:reason=r"
	tr.observeAt(0, all+" b:up c:up d:up:beat=-1s")
	tr.observeAt(10*sec, all+" c:up d:up:beat=-1s")
	tr.ObserveFailure()
	tr.observeAt(300*sec, all+" c:down:forced d:down:beat=-1s")
	first := tr.Save()
	require.Len(t, first.Outages, 1)
	require.Len(t, first.Members, 4)

	next := restarted(t, tr, Instant{Wall: t0.Add(hour), Mono: 5 * sec})
	require.Equal(t, first, next.Save())
	for i, m := range tr.Members() {
		restored := next.Members()[i]
		require.Equal(t, m.Member, restored.Member)
		require.Equal(t, m.State(), restored.State())
		require.Equal(t, m.InDoubt(), restored.InDoubt())
		require.Equal(t, m.Fenced, restored.Fenced)
		require.Equal(t, m.Since.Wall, restored.Since.Wall)
		require.Equal(t, m.Transitions, restored.Transitions)
	}
}

func TestDamagedStatesAreRefused(t *testing.T) {
	good := func(change func(*Saved)) string {
		s := savedOf("s")
		change(s)
		data, err := json.Marshal(s)
		require.NoError(t, err)
		return string(data)
	}
	_, err := ParseSaved([]byte(good(func(*Saved) {})), "s")
	require.NoError(t, err)
	for name, content := range map[string]string{
		"empty":              "",
		"cut":                good(func(*Saved) {})[:100],
		"another format":     "[]",
		"no json":            "\x00\xff",
		"without a version":  good(func(s *Saved) { s.Version = 0 }),
		"of another source":  strings.Replace(good(func(*Saved) {}), `"source":"s"`, `"source":"t"`, 1),
		"without times":      `{"version":1,"source":"s","members":[]}`,
		"a member twice":     good(func(s *Saved) { s.Members = append(s.Members, s.Members[0]) }),
		"a member no name":   good(func(s *Saved) { s.Members[0].Name = "" }),
		"a member no time":   good(func(s *Saved) { s.Members[1].Since = s.Members[1].LastUp }),
		"a member no state":  good(func(s *Saved) { s.Members[0].State = "dead" }),
		"a member no since":  good(func(s *Saved) { s.Members[0].Unreadable = entryUnknown }),
		"a member fenced":    good(func(s *Saved) { s.Members[1].Fenced = true }),
		"a group no name":    good(func(s *Saved) { s.Groups[0].Name = "" }),
		"a group twice":      good(func(s *Saved) { s.Groups = append(s.Groups, s.Groups[0]) }),
		"a group too few":    good(func(s *Saved) { s.Groups[0].Down = -1 }),
		"a group too many":   good(func(s *Saved) { s.Groups[0].Down = 3 }),
		"an end no name":     good(func(s *Saved) { s.Ended = []savedEnded{{Group: "g", Ended: t0}} }),
		"an end no time":     good(func(s *Saved) { s.Ended = []savedEnded{{Group: "g", Name: "a"}} }),
		"an event no ID":     good(func(s *Saved) { s.Events = []SavedEvent{{Time: t0, Type: EventJoin}} }),
		"an event no time":   good(func(s *Saved) { s.Events = []SavedEvent{{ID: 1, Type: EventJoin}} }),
		"an event no type":   good(func(s *Saved) { s.Events = []SavedEvent{{ID: 1, Time: t0}} }),
		"an event no name":   good(func(s *Saved) { s.Events = []SavedEvent{{ID: 1, Time: t0, Type: EventJoin, Group: "g"}} }),
		"a member bad group": good(func(s *Saved) { s.Members[1].Group = "" }),
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			_, err := ParseSaved([]byte(content), "s")
			require.Error(t, err)
		})
	}
}
