package mc

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

// A moment is one poll of one member on two servers. What a server says is written as the second of the heartbeat that it
// has, empty for none, with "blank" before it for one that has just forgotten everything; "mute" and "odd" are words.
type moment struct {
	second       int
	first, other string
	want         string
}

// The down time is a minute.
func TestEvidence(t *testing.T) {
	for name, history := range map[string][]moment{
		"alive, then silent":             {{10, "5", "", "up"}, {65, "5", "", "up"}, {66, "5", "", "down"}},
		"never heard of":                 {{10, "", "", "down"}},
		"silent when first seen":         {{100, "5", "", "down"}},
		"the newest counts":              {{100, "1", "95", "up"}, {156, "1", "95", "down"}},
		"from the future":                {{10, "1000", "", "up"}},
		"returns":                        {{100, "5", "", "down"}, {110, "109", "", "up"}},
		"not all reachable at first":     {{10, "mute", "", "unknown"}, {20, "", "mute", "unknown"}, {30, "", "", "down"}},
		"old where one is out of reach":  {{100, "mute", "5", "unknown"}},
		"fresh where one is":             {{10, "mute", "5", "up"}, {20, "5", "mute", "up"}},
		"its server out of reach":        {{10, "5", "", "up"}, {20, "mute", "", "unknown"}, {9999, "mute", "", "unknown"}, {10000, "5", "", "down"}},
		"the other server out of reach":  {{10, "5", "", "up"}, {66, "5", "mute", "down"}},
		"on both, one out of reach":      {{10, "5", "5", "up"}, {66, "mute", "5", "down"}},
		"moved in an outage, then died":  {{10, "5", "", "up"}, {20, "mute", "19", "up"}, {80, "mute", "19", "unknown"}, {90, "", "19", "down"}},
		"moved for good, then died":      {{10, "5", "", "up"}, {20, "5", "19", "up"}, {80, "mute", "19", "down"}},
		"its server forgot":              {{10, "5", "", "up"}, {90, "blank", "", "unknown"}, {99, "blank 98", "", "up"}, {110, "98", "", "up"}},
		"its server forgot, and it died": {{10, "5", "", "up"}, {90, "blank", "", "unknown"}, {110, "", "", "down"}},
		"the other server forgot":        {{10, "5", "", "up"}, {66, "5", "blank", "down"}},
		"forgotten when first seen":      {{10, "blank", "", "unknown"}, {30, "", "", "down"}},
		"moves while a server forgets":   {{10, "5", "", "up"}, {20, "blank", "19", "up"}, {80, "mute", "19", "unknown"}},
		"dropped":                        {{10, "5", "", "up"}, {20, "", "", "unknown"}, {65, "", "", "unknown"}, {66, "", "", "down"}},
		"dropped, with an old copy":      {{10, "5", "", "up"}, {60, "55", "5", "up"}, {70, "", "5", "unknown"}, {116, "", "5", "down"}},
		"dropped, seen in an outage":     {{10, "5", "mute", "up"}, {20, "", "", "unknown"}, {66, "", "", "down"}},
		"dropped, from the future":       {{10, "1000", "", "up"}, {20, "", "", "unknown"}, {71, "", "", "down"}},
		"said that it died":              {{10, "5", "", "up"}, {20, "-51", "", "down"}},
		"said so on both":                {{10, "5", "5", "up"}, {20, "mute", "-51", "down"}},
		"odd":                            {{10, "odd", "", "unreadable"}, {20, "odd", "19", "up"}, {90, "odd", "19", "unreadable"}},
	} {
		t.Run(name, func(t *testing.T) {
			all := proofs{}
			member := drivers.Key{Group: "compute", Name: "one"}
			for _, m := range history {
				h := newHearing(second(m.second), time.Minute, []answer{m.answer(t, m.first), m.answer(t, m.other)})
				testimonies := hear([]answer{m.answer(t, m.first), m.answer(t, m.other)}, 1)
				got := all.judgeAll(h, []drivers.Key{member}, testimonies)
				require.Equal(t, m.want, [...]string{"up", "down", "unknown", "unreadable"}[got[0]], "second %d", m.second)
			}
		})
	}
}

// second is a time on the clock of a history.
func second(s int) time.Time { return time.Unix(1795362556, 0).Add(time.Duration(s) * time.Second) }

func (m *moment) answer(t *testing.T, said string) answer {
	t.Helper()
	a := answer{words: make([]word, 1)}
	said, a.blank = strings.CutPrefix(said, "blank")
	switch said = strings.TrimSpace(said); said {
	case "":
	case "mute":
		a.err = errors.New("out of reach")
		a.words[0] = wordOf(hashed{}.heartbeat("key", second(m.second), 0), hashed{}) // the part that came before it failed
	case "odd":
		a.words[0] = wordOf(&memcache.Item{Key: "key", Value: []byte("?")}, hashed{})
	default:
		at, err := strconv.Atoi(said)
		require.NoError(t, err)
		a.words[0] = wordOf(hashed{}.heartbeat("key", second(at), 0), hashed{})
	}
	return a
}

// Proofs are kept of those who are in the roster, and of nobody else.
func TestProofsAreBounded(t *testing.T) {
	all := proofs{}
	h := &hearing{now: second(10), downTime: time.Minute}
	for i := range 10 {
		names := []drivers.Key{{Group: "a", Name: strconv.Itoa(i)}, {Group: "a", Name: "always"}}
		all.judgeAll(h, names, make([]testimony, 2))
		require.Len(t, all.of, 2)
	}
}

// A heartbeat that releases 12 and before wrote is true while it is there, and nothing is known of its time.
func TestEvidenceWithoutTimes(t *testing.T) {
	all := proofs{}
	member := []drivers.Key{{Group: "compute", Name: "one"}}
	h := newHearing(second(10), time.Minute, make([]answer, 1))
	beat := plain{}.heartbeat("key", second(0), time.Minute)
	there := hear([]answer{{words: []word{wordOf(beat, plain{})}}}, 1)
	require.Equal(t, []verdict{up}, all.judgeAll(h, member, there))
	require.Equal(t, []verdict{down}, all.judgeAll(h, member, hear(make([]answer, 1), 1)))
}
