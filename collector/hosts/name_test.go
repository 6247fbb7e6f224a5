package hosts_test

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/collector/hosts"
)

func TestHostOfAMember(t *testing.T) {
	for name, want := range map[string]string{
		// Nova, Neutron, Cinder, Manila and Heat, with and without the domain.
		"compute-1":                             "compute-1",
		"compute-1.example.org":                 "compute-1",
		"compute-1.example.org.":                "compute-1",
		"controller@lvm":                        "controller",
		"controller.example.org@lvm":            "controller",
		"controller@rbd:8776":                   "controller",
		"controller@lvm#pool:1":                 "controller",
		"controller#pool":                       "controller",
		"controller@10.0.0.1":                   "controller",
		"overcloud-controller-0.localdomain@s3": "overcloud-controller-0",
		// ZooKeeper, and presets of its layouts.
		"controller:8774":          "controller",
		"10.0.0.1":                 "10.0.0.1",
		"10.0.0.1:8774":            "10.0.0.1",
		"10.0.0.1:8983_solr":       "10.0.0.1",
		"solr-1.example.org:8983_": "solr-1",
		"rs1.example.org:16020":    "rs1",
		"[2001:db8::1]:8774":       "2001:db8::1",
		"2001:db8::1":              "2001:db8::1",
		"::ffff:10.0.0.1":          "::ffff:10.0.0.1",
		"controller:8774@lvm#pool": "controller",
		// Nothing that looks like an addition.
		"controller:nova":  "controller:nova",
		"controller:":      "controller:",
		"controller:80a":   "controller:80a",
		"@lvm":             "@lvm",
		":8774":            ":8774",
		".hidden":          ".hidden",
		"":                 "",
		"a b\n\"c\"@d":     "a b\n\"c\"",
		"999.999.1.2":      "999",
		"worker-1_1234_ab": "worker-1_1234_ab",
	} {
		require.Equal(t, want, (&hosts.Naming{}).Host(name), name)
	}
}

func TestServiceOfAMember(t *testing.T) {
	for name, want := range map[string]string{
		"compute-1":                "",
		"compute-1.example.org":    "",
		"controller@lvm#pool":      "",
		"controller:8774":          ":8774",
		"controller.example.org:8": ":8",
		"10.0.0.1:8983_solr":       ":8983_solr",
		"[2001:db8::1]:8774":       "[2001:db8::1]:8774",
	} {
		require.Equal(t, want, (&hosts.Naming{}).Service(name), name)
	}
	require.Equal(t, "c1:80", (&hosts.Naming{Match: regexp.MustCompile("(c1).*")}).Service("c1:80@x"))
}

func TestHostWithDomain(t *testing.T) {
	keep := hosts.Naming{KeepDomain: true}
	for name, want := range map[string]string{
		"compute-1.example.org":     "compute-1.example.org",
		"compute-1.example.org@lvm": "compute-1.example.org",
		"compute-1.example.org:80":  "compute-1.example.org",
		"compute-1":                 "compute-1",
	} {
		require.Equal(t, want, keep.Host(name), name)
	}
}

func TestHostByAnExpression(t *testing.T) {
	by := func(text string) *hosts.Naming {
		return &hosts.Naming{Match: regexp.MustCompile(`\A(?:` + text + `)\z`)}
	}
	for _, test := range []struct{ match, name, want string }{
		{`worker_(.+)_\d+`, "worker_c1_17", "c1"},
		{`worker_(.+)_\d+`, "worker_c1.example.org_17", "c1"},
		{`worker_(.+)_\d+`, "c1", ""},
		{`worker_(.+)_\d+|(.+)`, "c1", "c1"},
		{`c\d+`, "c17", "c17"},
		{`c\d+`, "c17x", ""},
		{`(x)?c\d+`, "c17", ""},
		{`hostgroup@.*|(.+?)(@.*)?`, "hostgroup@tripleo_iscsi", ""},
		{`hostgroup@.*|(.+?)(@.*)?`, "c1@lvm", "c1"},
	} {
		require.Equal(t, test.want, by(test.match).Host(test.name), "%s %s", test.match, test.name)
	}
}

func TestNamingIsEqual(t *testing.T) {
	a := hosts.Naming{Match: regexp.MustCompile("a")}
	require.True(t, a.Equal(&hosts.Naming{Match: regexp.MustCompile("a")}))
	require.False(t, a.Equal(&hosts.Naming{Match: regexp.MustCompile("b")}))
	require.False(t, a.Equal(&hosts.Naming{}))
	require.False(t, a.Equal(&hosts.Naming{Match: a.Match, KeepDomain: true}))
	require.True(t, (&hosts.Naming{}).Equal(&hosts.Naming{}))
}
