package mc

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// A suspectRoster is a roster with problems of its own.
type suspectRoster struct{ drivers.Poll }

func (r *suspectRoster) Members(context.Context) (*drivers.Poll, error) { return &r.Poll, nil }

func (r *suspectRoster) Close() error { return nil }

// A memcached that answers and has no key of any member does not look like one whose members are all dead, and a roster without
// members not like a group without members.
func TestProblems(t *testing.T) {
	t.Parallel()
	server := testserver.Memcached(t)
	cfg := config(server)
	writeAs := func(format string, names ...string) {
		cfg := cfg
		cfg.KeyFormat = format
		d := open(t, cfg, rosterOf())
		require.NoError(t, d.servers[0].do(t.Context(), func(c *client) error {
			for _, name := range names {
				key, err := d.format.key(drivers.Key{Group: "compute", Name: name})
				require.NoError(t, err)
				require.NoError(t, c.Set(d.format.alive(key, time.Now(), time.Hour)))
			}
			return nil
		}))
	}
	writeAs(KeyFormatPlain, "old-1", "old-2")
	writeAs(KeyFormatSHA1, "new-1", "new-2")
	foreign := drivers.Problem{Kind: drivers.ProblemForeign, Detail: "They belong to another service."}
	const absent, unmatched = drivers.ProblemAbsent, drivers.ProblemUnmatched
	for name, test := range map[string]struct {
		format     string
		roster     drivers.Driver
		mayBeEmpty bool
		kind       drivers.ProblemKind // empty: no problem
		detail     string
	}{
		"plain for sha1":     {KeyFormatSHA1, rosterOf("old-1", "old-2"), false, unmatched, "no key of the format sha1 for any member of the roster, and has keys of the format plain. Set key_format to plain."},
		"sha1 for plain":     {KeyFormatPlain, rosterOf("new-1"), false, unmatched, "Set key_format to sha1."},
		"other names":        {KeyFormatSHA1, rosterOf("new-1.example.org", "new-2.example.org"), false, unmatched, "compute:new-1.example.org, for example, has none"},
		"other plain names":  {KeyFormatPlain, rosterOf("old-3"), false, unmatched, "no key for any member of the roster"},
		"an empty roster":    {KeyFormatSHA1, rosterOf(), false, absent, "The roster has no members"},
		"an empty list":      {KeyFormatPlain, List(nil), false, absent, "The roster has no members"},
		"a cell's roster":    {KeyFormatSHA1, rosterOf(), true, "", ""},
		"one of two":         {KeyFormatSHA1, rosterOf("new-1", "dead"), false, "", ""},
		"all":                {KeyFormatPlain, rosterOf("old-1", "old-2"), false, "", ""},
		"the roster's own":   {KeyFormatSHA1, &suspectRoster{drivers.Poll{Problems: []drivers.Problem{foreign}}}, false, drivers.ProblemForeign, foreign.Detail},
		"names without keys": {KeyFormatPlain, rosterOf("a b"), false, "", ""}, // The name is rejected.
	} {
		t.Run(name, func(t *testing.T) {
			cfg := cfg
			cfg.KeyFormat, cfg.MayBeEmpty = test.format, test.mayBeEmpty
			d := open(t, cfg, test.roster)
			waitUntilTrusted(t, d)
			for range 2 {
				p := poll(t, d)
				if test.kind == "" {
					require.Empty(t, p.Problems)
					continue
				}
				require.Len(t, p.Problems, 1)
				require.Equal(t, test.kind, p.Problems[0].Kind)
				require.Contains(t, p.Problems[0].Detail, test.detail)
			}
		})
	}
	locked := &suspectRoster{drivers.Poll{UnreadableGroups: []string{"web"}}}
	require.Equal(t, []string{"web"}, poll(t, open(t, cfg, locked)).UnreadableGroups)

	// The end of all keys is no such problem once there was one.
	d := open(t, cfg, rosterOf("new-1"))
	require.Empty(t, poll(t, d).Problems)
	require.NoError(t, d.servers[0].do(t.Context(), func(c *client) error { return c.Delete(sha1Hex("compute:new-1")) }))
	require.Empty(t, poll(t, d).Problems)
}
