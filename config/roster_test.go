package config_test

import (
	"strings"
	"testing"
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
			withRoster("member_metrics: all"),
			`f.yml:5: sources[1].roster: driver "mc" needs a roster, because memcached does not list the members: ` +
				"write {source: NAME}, {db: {dsn: URL}} or {members: {GROUP: [NAME]}}",
		},
		"empty":         {withRoster("roster: {}"), one},
		"no members":    {withRoster("roster: {members: {}}"), one},
		"two":           {withRoster("roster: {source: nova, members: {a: [b]}}"), one},
		"other driver":  {goodDB + "  roster: {members: {a: [b]}}\n", `f.yml:5: sources[0].roster: driver "db" has its own roster; remove this section`},
		"no source":     {withRoster("roster: {source: novo}"), `f.yml:8: sources[1].roster.source: there is no source of this name: "novo" is not one of nova, mc; did you mean "nova"?`},
		"itself":        {withRoster("roster: {source: mc}"), `f.yml:8: sources[1].roster.source: source "mc" has driver "mc", which needs a roster itself`},
		"no name":       {withRoster("roster: {members: {a: [b, '']}}"), "f.yml:8: sources[1].roster.members.a: a name is empty"},
		"nobody":        {withRoster("roster: {members: {a: []}}"), "f.yml:8: sources[1].roster.members.a: the group has no members"},
		"twice":         {withRoster("roster: {members: {a: [b, c, b]}}"), "f.yml:8: sources[1].roster.members.a: a name is listed twice"},
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
			withRoster("roster: {source: nova}\n  member_metrics: minimal\n- {name: x, driver: mc, mc: {}, roster: {source: nova}}"),
			"f.yml:10: sources[2].mc.servers: is empty: list at least one server, for example [mc1:11211, mc2:11211]",
		},
	})
}
