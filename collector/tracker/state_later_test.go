package tracker

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// laterVersion returns the state with the next version, and with a key that this version does not know in each object.
func laterVersion(t *testing.T, s *Saved, change ...string) []byte {
	t.Helper()
	text, err := json.Marshal(s)
	require.NoError(t, err)
	later := strings.NewReplacer(append(change, `"version":1`, `"version":2,"new":{"a":[1]}`, `{"group":`, `{"new":"x","group":`)...).Replace(string(text))
	require.Contains(t, later, `"version":2`)
	return []byte(later)
}

// A state of the next version that only adds to this one is the same state.
func TestStateOfALaterVersion(t *testing.T) {
	tr := newTracker(hour)
	tr.observeAt(0, "a:up:beat=0s b:up c:up")
	tr.observeAt(10*sec, "a:up:beat=0s c:up")
	tr.observeAt(20*sec, "a:up:beat=0s b:up")
	want := tr.Save()
	want.Events = []SavedEvent{{ID: 1, Time: t0, Type: EventDeath, Group: "g", Name: "b"}}
	require.Len(t, want.Members, 3)
	got, err := ParseSaved(laterVersion(t, want), "s")
	require.NoError(t, err)
	require.Equal(t, 2, got.Version)
	require.Zero(t, got.Skipped)
	got.Version = SavedVersion
	wantText, err := json.Marshal(want)
	require.NoError(t, err)
	gotText, err := json.Marshal(got)
	require.NoError(t, err)
	require.JSONEq(t, string(wantText), string(gotText))
}

// Parts that are not understood are left out and counted. The rest is used.
func TestPartsOfALaterStateAreLeftOut(t *testing.T) {
	whole := savedOf("s")
	for name, test := range map[string]struct {
		change  []string
		members int
		skipped int
	}{
		"a state of a member":   {[]string{`"state":"down"`, `"state":"paused"`}, 1, 1},
		"the type of a field":   {[]string{`"name":"a"`, `"name":["a"]`}, 1, 1},
		"a member is repeated":  {[]string{`"name":"b"`, `"name":"a"`}, 1, 1},
		"a member has no name":  {[]string{`"name":"b"`, `"title":"b"`}, 1, 1},
		"groups are another":    {[]string{`"groups":[`, `"groups":{},"group_list":[`}, 2, 1},
		"the learned intervals": {[]string{`"state":"up"`, `"state":"up","beats":{"probation":200}`}, 2, 0},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			got, err := ParseSaved(laterVersion(t, whole, test.change...), "s")
			require.NoError(t, err)
			require.Len(t, got.Members, test.members)
			require.Equal(t, test.skipped, got.Skipped)
		})
	}
}

// Without what every state needs, the state is unusable, and the error says why.
func TestUnusableStatesOfALaterVersion(t *testing.T) {
	whole := savedOf("s")
	for want, change := range map[string][]string{
		`it is of the later version 2: it is the state of source "t"`:                {`"source":"s"`, `"source":"t"`},
		"it is of the later version 2: it has no time of the last poll":              {`"last_poll"`, `"last_read"`},
		"it is of the later version 2: it has no list of members":                    {`"members"`, `"entries"`},
		"it is of the later version 2: none of its 2 members is understood":          {`"name"`, `"title"`},
		"it is of the later version 2: json: cannot unmarshal object into Go struct": {`"members":[`, `"members":{},"member_list":[`},
	} {
		_, err := ParseSaved(laterVersion(t, whole, change...), "s")
		require.ErrorContains(t, err, want)
	}
}
