package zk

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk/layout"
)

func TestConfig(t *testing.T) {
	valid := func(change func(*Config)) Config {
		c := DefaultConfig()
		c.Servers = []string{"zk1"}
		change(&c)
		return c
	}
	tests := []struct {
		name   string
		change func(*Config)
		fields string // of the errors, joined with spaces
		want   string
	}{
		{name: "defaults", change: func(*Config) {}},
		{name: "everything", change: func(c *Config) {
			c.Servers = []string{"zk1", "zk2:2182", "10.0.0.1", "::1", "[::1]", "[::1]:2183"}
			c.Chroot, c.Prefix, c.Layout, c.Groups = "/a/b", "/c", LayoutNested, []string{"compute"}
			c.Auth = Auth{User: "u", Password: drivers.SecretText("p:w")}
		}},
		{name: "prefix of the whole tree", change: func(c *Config) { c.Prefix = "/" }},
		{name: "no servers", change: func(c *Config) { c.Servers = nil }, fields: "servers", want: "zk1:2181"},
		{
			name: "one string, as other programs have it", change: func(c *Config) { c.Servers = []string{"zk1,zk2/chroot"} },
			fields: "servers", want: "an entry of its own",
		},
		{name: "no host", change: func(c *Config) { c.Servers = []string{":2181"} }, fields: "servers", want: "host:port"},
		{name: "empty server", change: func(c *Config) { c.Servers = []string{""} }, fields: "servers", want: "host:port"},
		{name: "port 0", change: func(c *Config) { c.Servers = []string{"zk1:0"} }, fields: "servers", want: "65535"},
		{name: "port name", change: func(c *Config) { c.Servers = []string{"zk1:zk"} }, fields: "servers", want: "65535"},
		{name: "relative chroot", change: func(c *Config) { c.Chroot = "a" }, fields: "chroot", want: "begin"},
		{name: "slash at the end", change: func(c *Config) { c.Prefix = "/a/" }, fields: "prefix", want: "slash"},
		{name: "two slashes", change: func(c *Config) { c.Prefix = "/a//b" }, fields: "prefix", want: "is empty"},
		{name: "dots", change: func(c *Config) { c.Prefix = "/a/.." }, fields: "prefix", want: "reserves"},
		{name: "layout", change: func(c *Config) { c.Layout = "tree" }, fields: "layout", want: "auto, flat, nested"},
		{name: "group with a dot", change: func(c *Config) { c.Groups = []string{".roster"} }, fields: "groups", want: "dot"},
		{
			name: "too short a session", change: func(c *Config) { c.SessionTimeout = drivers.Duration(time.Millisecond) },
			fields: "session_timeout", want: "4s to 40s",
		},
		{name: "password without a user", change: func(c *Config) { c.Auth.Password = drivers.SecretText("p") }, fields: "auth.user"},
		{name: "user without a password", change: func(c *Config) { c.Auth.User = "u" }, fields: "auth.password"},
		{name: "colon", change: func(c *Config) { c.Auth = Auth{"u:v", drivers.SecretText("p")} }, fields: "auth.user", want: "colon"},
		{name: "ACL", change: func(c *Config) {
			c.Auth = Auth{User: "u", Password: drivers.SecretText("p:w")}
			c.ACL = []string{"auth::cdrwa", "world:anyone:r", "digest:u:aGFzaA==:cd", "ip:fd00::/8:rw", "x509:CN=a, O=b:a"}
		}},
		{
			name: "ACL without an identity", change: func(c *Config) { c.ACL = []string{"auth::cdrwa"} },
			fields: "acl", want: "set auth, or a certificate",
		},
		{
			name: "ACL in one string", change: func(c *Config) { c.ACL = []string{"world:anyone:r,auth::cdrwa"} },
			fields: "acl", want: "the only id of world is anyone",
		},
		{name: "ACL without a scheme", change: func(c *Config) { c.ACL = []string{"cdrwa"} }, fields: "acl", want: "auth::cdrwa"},
		{name: "ACL without an id", change: func(c *Config) { c.ACL = []string{"digest::r"} }, fields: "acl", want: "has no id"},
		{name: "ACL without permissions", change: func(c *Config) { c.ACL = []string{"ip:::1:"} }, fields: "acl", want: "cdrwa"},
		{name: "ACL with all", change: func(c *Config) { c.ACL = []string{"world:anyone:all"} }, fields: "acl", want: "other permissions"},
		{name: "ACL with an id for auth", change: func(c *Config) { c.ACL = []string{"auth:u:r"} }, fields: "acl", want: "auth has no id"},
		{
			name: "several", change: func(c *Config) { *c = Config{} },
			fields: "servers layout session_timeout",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := valid(test.change)
			err := c.Validate()
			require.Equal(t, test.fields, strings.Join(fieldsOf(err), " "))
			if test.fields == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, test.want)
			require.NotContains(t, err.Error(), "p:w")
			_, err = Open(c, nil)
			require.Error(t, err)
		})
	}
}

// fieldsOf returns the settings of the joined errors.
func fieldsOf(err error) []string {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	var fields []string
	for _, e := range joined.Unwrap() {
		fields = append(fields, drivers.FieldOf(e).Field)
	}
	return fields
}

func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"":            "is empty",
		".":           "reserves",
		"..":          "reserves",
		"a/b":         "slash",
		"a\x00b":      "U+0000",
		"a\nb":        "U+000A",
		"a\u0085b":    "U+0085",
		"a\xffb":      "UTF-8",
		"a\ue000b":    "U+E000",
		"a\U0001F600": "U+1F600",
	} {
		require.ErrorContains(t, checkMember(name), want, "%q", name)
		require.ErrorContains(t, checkGroup(name), want, "%q", name)
	}
	require.NoError(t, checkNames("compute", "host-1.example.com@lvm#pool ü"))
	require.NoError(t, checkNames("compute", ".hidden"))
	require.ErrorContains(t, checkNames(".compute", "h"), "begins with a dot")
}

func TestPaths(t *testing.T) {
	for _, test := range []struct{ chroot, prefix, prefixPath, member, record string }{
		{"", "/", "/", "/g/m", "/.roster/g/m"},
		{"", "/servicegroups", "/servicegroups", "/servicegroups/g/m", "/servicegroups/.roster/g/m"},
		{"/a/b", "/c", "/a/b/c", "/a/b/c/g/m", "/a/b/c/.roster/g/m"},
		{"/", "/c", "/c", "/c/g/m", "/c/.roster/g/m"},
		{"/a", "/", "/a", "/a/g/m", "/a/.roster/g/m"},
	} {
		c := Config{Chroot: test.chroot, Prefix: test.prefix}
		p := paths(c.root())
		require.Equal(t, test.prefixPath, p.prefix())
		require.Equal(t, test.member, p.member("g", "m"))
		require.Equal(t, test.record, p.record("g", "m"))
	}
}

func TestLayoutConfig(t *testing.T) {
	with := func(change func(*Config)) *Config {
		c := DefaultConfig()
		c.Servers = []string{"zk1"}
		change(&c)
		return &c
	}
	for name := range layout.Presets() {
		require.NoError(t, with(func(c *Config) { c.Layout = name }).Validate(), name)
	}
	err := with(func(c *Config) { c.Layout = "kafak" }).Validate()
	require.EqualError(t, err, `layout: "kafak" is not one of auto, flat, nested, custom, `+
		`bookkeeper, clickhouse, clickhouse-discovery, hbase, kafka, pulsar, solr, tooz; did you mean "kafka"?`)
	err = with(func(c *Config) { c.Layout = LayoutCustom }).Validate()
	require.ErrorContains(t, err, "custom: is missing")
	err = with(func(c *Config) { c.Layout, c.Custom = LayoutCustom, &layout.Custom{Match: "("} }).Validate()
	require.ErrorContains(t, err, "custom.paths: is empty")
	require.ErrorContains(t, err, "custom.match: error parsing regexp")
	err = with(func(c *Config) { c.Layout, c.Custom = "kafka", &layout.Custom{} }).Validate()
	require.ErrorContains(t, err, "custom: is only allowed with the layout custom, and the layout is kafka")
	require.NoError(t, with(func(c *Config) { c.Layout, c.Groups = "clickhouse", []string{"01/hits"} }).Validate())
	err = with(func(c *Config) { c.Groups = []string{"01/hits"} }).Validate()
	require.ErrorContains(t, err, "slash")

	for _, test := range []struct{ layout, prefix, root string }{
		{LayoutAuto, "", "/chroot/servicegroups"},
		{LayoutAuto, "/", "/chroot"},
		{LayoutFlat, "/sg", "/chroot/sg"},
		{LayoutCustom, "", "/chroot"},
		{LayoutCustom, "/a", "/chroot/a"},
		{"tooz", "", "/chroot/tooz"},
		{"tooz", "/designate", "/chroot/designate"},
		{"kafka", "", "/chroot"},
	} {
		c := with(func(c *Config) { c.Chroot, c.Prefix, c.Layout = "/chroot", test.prefix, test.layout })
		require.Equal(t, test.root, c.root(), test)
	}
}
