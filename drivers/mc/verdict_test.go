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

// A pollCase is one poll of one member on two servers. What a server has is written as the second of its heartbeat, empty
// for none, after "emptied" if the server has just lost its data; or as "unreachable" or "invalid".
type pollCase struct {
	second       int
	first, other string
	want         string
}

// The heartbeat timeout is one minute.
func TestVerdict(t *testing.T) {
	t.Parallel()
	for name, history := range map[string][]pollCase{
		"alive, then silent":            {{10, "5", "", "up"}, {65, "5", "", "up"}, {66, "5", "", "down"}},
		"never seen":                    {{10, "", "", "down"}},
		"silent when first seen":        {{100, "5", "", "down"}},
		"the newest counts":             {{100, "1", "95", "up"}, {156, "1", "95", "down"}},
		"from the future":               {{10, "1000", "", "up"}},
		"returns":                       {{100, "5", "", "down"}, {110, "109", "", "up"}},
		"not all reachable at first":    {{10, "unreachable", "", "unknown"}, {20, "", "unreachable", "unknown"}, {30, "", "", "down"}},
		"old where one is out of reach": {{100, "unreachable", "5", "unknown"}},
		"fresh where one is":            {{10, "unreachable", "5", "up"}, {20, "5", "unreachable", "up"}},
		"its server out of reach":       {{10, "5", "", "up"}, {20, "unreachable", "", "unknown"}, {9999, "unreachable", "", "unknown"}, {10000, "5", "", "down"}},
		"the other server out of reach": {{10, "5", "", "up"}, {66, "5", "unreachable", "down"}},
		"on both, one out of reach":     {{10, "5", "5", "up"}, {66, "unreachable", "5", "down"}},
		"moved in an outage, then died": {{10, "5", "", "up"}, {20, "unreachable", "19", "up"}, {80, "unreachable", "19", "unknown"}, {90, "", "19", "down"}},
		"moved for good, then died":     {{10, "5", "", "up"}, {20, "5", "19", "up"}, {80, "unreachable", "19", "down"}},
		"its server restarted":          {{10, "5", "", "up"}, {90, "emptied", "", "unknown"}, {99, "emptied 98", "", "up"}, {110, "98", "", "up"}},
		"its server restarted, it died": {{10, "5", "", "up"}, {90, "emptied", "", "unknown"}, {110, "", "", "down"}},
		"the other server restarted":    {{10, "5", "", "up"}, {66, "5", "emptied", "down"}},
		"restarted before the first":    {{10, "emptied", "", "unknown"}, {30, "", "", "down"}},
		"moves while a server restarts": {{10, "5", "", "up"}, {20, "emptied", "19", "up"}, {80, "unreachable", "19", "unknown"}},
		"dropped":                       {{10, "5", "", "up"}, {20, "", "", "unknown"}, {65, "", "", "unknown"}, {66, "", "", "down"}},
		"dropped, with an old copy":     {{10, "5", "", "up"}, {60, "55", "5", "up"}, {70, "", "5", "unknown"}, {116, "", "5", "down"}},
		"dropped, seen in an outage":    {{10, "5", "unreachable", "up"}, {20, "", "", "unknown"}, {66, "", "", "down"}},
		"dropped, from the future":      {{10, "1000", "", "up"}, {20, "", "", "unknown"}, {71, "", "", "down"}},
		"said that it died":             {{10, "5", "", "up"}, {20, "-51", "", "down"}},
		"said so on both":               {{10, "5", "5", "up"}, {20, "unreachable", "-51", "down"}},
		"invalid":                       {{10, "invalid", "", "unreadable"}, {20, "invalid", "19", "up"}, {90, "invalid", "19", "unreadable"}},
	} {
		t.Run(name, func(t *testing.T) {
			all := verdicts{}
			member := drivers.Key{Group: "compute", Name: "one"}
			for _, m := range history {
				p := newPollContext(second(m.second), time.Minute, []answer{m.answer(t, m.first), m.answer(t, m.other)})
				sums := byMember([]answer{m.answer(t, m.first), m.answer(t, m.other)}, 1)
				got := all.decide(p, []drivers.Key{member}, sums)
				require.Equal(t, m.want, [...]string{"up", "down", "unknown", "unreadable"}[got[0]], "second %d", m.second)
			}
		})
	}
}

// second returns a time on the clock of a history.
func second(s int) time.Time { return time.Unix(1795362556, 0).Add(time.Duration(s) * time.Second) }

func (m *pollCase) answer(t *testing.T, said string) answer {
	t.Helper()
	a := answer{replies: make([]reply, 1)}
	said, a.emptied = strings.CutPrefix(said, "emptied")
	switch said = strings.TrimSpace(said); said {
	case "":
	case "unreachable":
		a.err = errors.New("out of reach")
		a.replies[0] = replyOf(sha1Keys{}.alive("key", second(m.second), 0), sha1Keys{}) // what it sent before it failed
	case "invalid":
		a.replies[0] = replyOf(&memcache.Item{Key: "key", Value: []byte("?")}, sha1Keys{})
	default:
		at, err := strconv.Atoi(said)
		require.NoError(t, err)
		a.replies[0] = replyOf(sha1Keys{}.alive("key", second(at), 0), sha1Keys{})
	}
	return a
}

// Proofs of life are kept only for members of the roster.
func TestProofsOfLifeAreBounded(t *testing.T) {
	all := verdicts{}
	p := &pollContext{now: second(10), downTime: time.Minute}
	for i := range 10 {
		names := []drivers.Key{{Group: "a", Name: strconv.Itoa(i)}, {Group: "a", Name: "always"}}
		all.decide(p, names, make([]replies, 2))
		require.Len(t, all.last, 2)
	}
}

// A heartbeat of Nova's release 12 or older has no time: its member is up while it exists.
func TestVerdictWithoutTimes(t *testing.T) {
	all := verdicts{}
	member := []drivers.Key{{Group: "compute", Name: "one"}}
	p := newPollContext(second(10), time.Minute, make([]answer, 1))
	beat := plainKeys{}.alive("key", second(0), time.Minute)
	there := byMember([]answer{{replies: []reply{replyOf(beat, plainKeys{})}}}, 1)
	require.Equal(t, []verdict{up}, all.decide(p, member, there))
	require.Equal(t, []verdict{down}, all.decide(p, member, byMember(make([]answer, 1), 1)))
}
