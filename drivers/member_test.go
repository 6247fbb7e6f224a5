package drivers_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

func TestHost(t *testing.T) {
	for name, want := range map[string]string{
		"compute-1":                "compute-1",
		"compute-1.example.org":    "compute-1.example.org",
		"controller@lvm":           "controller",
		"controller@rbd:8776":      "controller",
		"controller@lvm#pool:1":    "controller",
		"controller#pool":          "controller",
		"controller:8774":          "controller",
		"controller:nova":          "controller:nova",
		"controller:":              "controller:",
		"[2001:db8::1]:8774":       "2001:db8::1",
		"2001:db8::1":              "2001:db8::1",
		"@lvm":                     "@lvm",
		":8774":                    ":8774",
		"":                         "",
		"a b\n\"c\"@d":             "a b\n\"c\"",
		"controller:8774@lvm#pool": "controller",
	} {
		m := drivers.Member{Name: name}
		require.Equal(t, want, m.Host(), name)
	}
}
