package config

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/mc"
)

// goodMC is a source whose roster is the source of goodDB.
const goodMC = goodDB + "- name: mc\n  driver: mc\n  mc: {servers: [a]}\n  roster: {source: nova}\n"

// withRoster is goodMC with another roster, on line 8.
func withRoster(roster string) string {
	return strings.Replace(goodMC, "roster: {source: nova}", roster, 1)
}

func TestBadRosters(t *testing.T) {
	const one = "f.yml:8: sources[1].roster: must have exactly one of source, db, members"
	refuse(t, map[string]badFile{
		"none": {
			withRoster("expose: all"),
			`f.yml:5: sources[1].roster: driver "mc" does not know who should be there: ` +
				"write {source: NAME}, {db: {dsn: URL}} or {members: {GROUP: [NAME]}}",
		},
		"empty":         {withRoster("roster: {}"), one},
		"no members":    {withRoster("roster: {members: {}}"), one},
		"two":           {withRoster("roster: {source: nova, members: {a: [b]}}"), one},
		"other driver":  {goodDB + "  roster: {members: {a: [b]}}\n", `f.yml:5: sources[0].roster: driver "db" knows by itself who should be there`},
		"no source":     {withRoster("roster: {source: novo}"), `f.yml:8: sources[1].roster.source: there is no source "novo"`},
		"itself":        {withRoster("roster: {source: mc}"), `f.yml:8: sources[1].roster.source: source "mc" is of driver "mc", which does not know who should be there`},
		"no name":       {withRoster("roster: {members: {a: [b, '']}}"), "f.yml:8: sources[1].roster.members.a: a name is empty"},
		"nobody":        {withRoster("roster: {members: {a: []}}"), "f.yml:8: sources[1].roster.members.a: the group has no members"},
		"twice":         {withRoster("roster: {members: {a: [b, c, b]}}"), "f.yml:8: sources[1].roster.members.a: a name is there twice"},
		"same group":    {withRoster("roster: {members: {a: [b], a: [c]}}"), `f.yml:8: sources[1].roster.members: repeated key "a"`},
		"list":          {withRoster("roster: {members: [a]}"), "f.yml:8: sources[1].roster.members: must be a mapping, not a list"},
		"list of names": {withRoster("roster: {members: {a: b}}"), "f.yml:8: sources[1].roster.members.a: must be a list, not a single value"},
		"null":          {withRoster("roster: {members: {a: }}"), "f.yml:8: sources[1].roster.members.a: has no value"},
		"odd key":       {withRoster("roster: {members: {[a]: [b]}}"), "f.yml:8: sources[1].roster.members: has a key that is not a name"},
		"merge":         {withRoster("roster: {members: {<<: {a: [b]}}}"), "f.yml:8: sources[1].roster.members: has a key that is not a name"},
		"bad database": {
			withRoster("roster: {db: {dsn: 'mysql://u@h/d', timeout: 0s}}"),
			"f.yml:8: sources[1].roster.db.timeout: is 0s, must be positive",
		},
		"bad servers": {
			withRoster("roster: {source: nova}\n  expose: up\n- {name: x, driver: mc, mc: {}, roster: {source: nova}}"),
			"f.yml:10: sources[2].mc.servers: is empty: name at least one server, as [mc1:11211, mc2:11211]",
		},
	})
}

// A source is opened anew when its roster changes, wherever that is written.
func TestFingerprintOfARoster(t *testing.T) {
	fingerprint := func(text string) string {
		c, err := Parse("f.yml", []byte(text))
		require.NoError(t, err, text)
		return c.Sources[1].Fingerprint()
	}
	want := fingerprint(goodMC)
	require.Equal(t, want, fingerprint(goodMC))
	for _, other := range []string{
		strings.Replace(goodMC, "u@h", "u@other", 1), withRoster("roster: {members: {a: [b]}}"), strings.Replace(goodMC, "[a]", "[b]", 1),
	} {
		require.NotEqual(t, want, fingerprint(other))
	}
	listed := fingerprint(withRoster("roster: {members: {a: [b, c], d: [e]}}"))
	require.Equal(t, listed, fingerprint(withRoster("roster: {members: {d: [e], a: [b, c]}}")))
	require.NotEqual(t, listed, fingerprint(withRoster("roster: {members: {a: [b], d: [e]}}")))
}

func TestOpenWithARoster(t *testing.T) {
	logger := slog.New(slog.DiscardHandler)
	store := "{dsn: 'sqlite://" + filepath.Join(t.TempDir(), "members.db") + "'}"
	for name, text := range map[string]string{
		"source":  strings.Replace(goodMC, "{dsn: 'mysql://u@h/nova'}", store, 1),
		"db":      withRoster("roster: {db: " + store + "}"),
		"members": withRoster("roster: {members: {a: [b]}}"),
	} {
		t.Run(name, func(t *testing.T) {
			c, err := Parse("f.yml", []byte(text))
			require.NoError(t, err)
			driver, err := c.Sources[1].Open(logger)
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_, err = driver.Members(ctx)
			require.ErrorIs(t, err, drivers.ErrUnavailable)
			require.NoError(t, driver.Close())
		})
	}
	section := mc.DefaultConfig()
	section.Servers = []string{"a"}
	for _, roster := range []*Roster{nil, {Source: "unknown"}, {of: &Source{Driver: "etcd"}}} {
		driver, err := (&Source{Driver: "mc", MC: &section, Roster: roster}).Open(logger)
		require.ErrorContains(t, err, "opening the roster: ")
		require.Nil(t, driver)
	}
	_, err := (&Source{Driver: "mc", MC: &mc.Config{}, Roster: &Roster{}}).Open(logger)
	require.ErrorContains(t, err, "servers: is empty")
}
