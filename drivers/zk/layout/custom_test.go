package layout

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

func TestCustomConfig(t *testing.T) {
	check := func(field string, is ...string) *Check { return &Check{field, is} }
	paths := []string{"/discovery/{group}/{member}"}
	tests := []struct {
		name   string
		custom Custom
		fields string
		want   string
	}{
		{name: "only paths", custom: Custom{Paths: paths}},
		{name: "everything", custom: Custom{
			Paths:  []string{"/{group}/*/x/{group}/{member}/a/b", "/{group}/{member}"},
			Roster: []string{"/r/{group}/{member}"}, Match: `(\d+)-(.*)`, Name: "{2}:{1}", Persistent: true,
			Status: check("a.b", "up"), Enabled: check("enabled", "true"),
		}},
		{name: "a name for the group", custom: Custom{Paths: []string{"/{member}"}, Group: "all"}},
		{name: "no paths", fields: "custom.paths", want: "/discovery/{group}/{member}"},
		{name: "relative", custom: Custom{Paths: []string{"{group}/{member}"}}, fields: "custom.paths", want: "must begin"},
		{name: "slash at the end", custom: Custom{Paths: []string{"/{group}/{member}/"}}, fields: "custom.paths", want: "not end"},
		{name: "no member", custom: Custom{Paths: []string{"/{group}/*"}}, fields: "custom.paths", want: "no level is {member}"},
		{name: "no group", custom: Custom{Paths: []string{"/a/{member}"}}, fields: "custom.paths", want: "setting group"},
		{name: "the group's name twice", custom: Custom{Paths: paths, Group: "g"}, fields: "custom.paths", want: "although"},
		{name: "two members", custom: Custom{Paths: []string{"/{group}/{member}/{member}"}}, fields: "custom.paths", want: "below {member}"},
		{name: "any below", custom: Custom{Paths: []string{"/{group}/{member}/*"}}, fields: "custom.paths", want: "below {member}"},
		{name: "part of a level", custom: Custom{Paths: []string{"/{group}/id-{member}"}}, fields: "custom.paths", want: "no level is {member}"},
		{name: "unknown word", custom: Custom{Paths: []string{"/{service}/{member}"}}, fields: "custom.paths", want: `"{service}" is not {group}`},
		{name: "empty level", custom: Custom{Paths: []string{"/{group}//{member}"}}, fields: "custom.paths", want: "is empty"},
		{name: "match", custom: Custom{Paths: paths, Match: "member_(["}, fields: "custom.match", want: "missing closing ]"},
		{name: "match with an extra parenthesis", custom: Custom{Paths: paths, Match: "a)(b"}, fields: "custom.match", want: "unexpected )"},
		{name: "group of match", custom: Custom{Paths: paths, Match: "(a)", Name: "{2}"}, fields: "custom.name", want: "match has 1 groups"},
		{name: "group of no match", custom: Custom{Paths: paths, Name: "{1}"}, fields: "custom.name", want: "match has 0 groups"},
		{name: "open brace", custom: Custom{Paths: paths, Name: "a{host"}, fields: "custom.name", want: "{ without a }"},
		{name: "closed brace", custom: Custom{Paths: paths, Name: "host}"}, fields: "custom.name", want: "} without a {"},
		{name: "empty braces", custom: Custom{Paths: paths, Name: "{}"}, fields: "custom.name", want: "not the name of a field"},
		{name: "empty key", custom: Custom{Paths: paths, Name: "{a..b}"}, fields: "custom.name", want: "serviceEndpoint.host"},
		{name: "status", custom: Custom{Paths: paths, Status: check("", "UP")}, fields: "custom.status.field", want: "field"},
		{name: "status is", custom: Custom{Paths: paths, Status: check("status")}, fields: "custom.status.is", want: "list the values"},
		{name: "enabled", custom: Custom{Paths: paths, Enabled: check("enabled")}, fields: "custom.enabled.is", want: "list the values"},
		{
			name:   "names that the roster does not have",
			custom: Custom{Paths: paths, Roster: []string{"/r/{group}/{member}"}, Name: "{host}"},
			fields: "custom.roster", want: "when custom.name has fields",
		},
		{
			name: "a roster with names below members", custom: Custom{Paths: paths, Roster: []string{"/r/{group}/{member}/x"}},
			fields: "custom.roster", want: "must end",
		},
		{
			name: "several", custom: Custom{Paths: []string{"/", "x"}, Match: "(", Name: "{"},
			fields: "custom.paths custom.paths custom.match", want: "must begin",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := test.custom.Compile("", nil)
			require.Equal(t, test.fields, strings.Join(allFields(err), " "))
			if test.fields == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, test.want)
		})
	}
}

// allFields returns the settings of all joined errors.
func allFields(err error) (fields []string) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			fields = append(fields, allFields(e)...)
		}
	} else if err != nil {
		fields = append(fields, drivers.FieldOf(err).Field)
	}
	return fields
}

func TestNaming(t *testing.T) {
	const id = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
	tooz := Presets()["tooz"].Match
	tests := []struct {
		match, name, znode, data string
		want                     string // empty: not a member; "?": the data has no name
	}{
		{znode: "a", want: "a"},
		{match: `member_-?\d+`, znode: "member_0000000007", want: "member_0000000007"},
		{match: `member_-?\d+`, znode: "member_-000000007x"},
		{match: `(.+)_\d{10}`, znode: "web_1_0000000007", want: "web_1"},
		{match: `a|b`, znode: "ab"},
		{match: `(a*)(b*)`, znode: "bb", want: "bb"},
		{match: `(a*)\d`, znode: "1", want: Anonymous},
		{match: `(.+),(\d+),\d+`, name: "{1}:{2}", znode: "rs1,16020,1700000000000", want: "rs1:16020"},
		{match: `.(.)`, name: "{0}/{1}", znode: "ab", want: "ab/b"},
		{name: "{a.b}:{port}", znode: id, data: `{"a": {"b": "h"}, "port": 10000000000000001}`, want: "h:10000000000000001"},
		{name: "{ok}", znode: id, data: `{"ok": false}`, want: "false"},
		{name: "{a.b}", znode: id, data: `{"a": "b"}`, want: "?"},
		{name: "{a}", znode: id, data: `{"a": null}`, want: "?"},
		{name: "{a}", znode: id, data: `{"a": ["b"]}`, want: "?"},
		{name: "{a}", znode: id, data: `null`, want: "?"},
		{name: "{a}", znode: id, data: `[1]`, want: "?"},
		{name: "{a}", znode: id, data: "\x00\x01thrift", want: "?"},
		{name: "{a}", znode: id, data: ``, want: "?"},
		{match: tooz, znode: "host-1.example.com:" + id, want: "host-1.example.com"},
		{match: tooz, znode: "host-1.0." + id, want: "host-1.0"},
		{match: tooz, znode: id, want: Anonymous},
		{match: tooz, znode: strings.ReplaceAll(id, "-", ""), want: Anonymous},
		{match: tooz, znode: "ironic_inspector.prefix.host", want: "ironic_inspector.prefix.host"},
	}
	for _, test := range tests {
		t.Run(test.match+" "+test.name+" "+test.znode+" "+test.data, func(t *testing.T) {
			n, err := newNaming(test.match, test.name)
			require.NoError(t, err)
			groups := n.matchName(test.znode)
			if test.want == "" {
				require.Nil(t, groups)
				return
			}
			got, err := n.name(groups, readFields([]byte(test.data), n.fields))
			if test.want == "?" {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.want, got)
		})
	}
}
