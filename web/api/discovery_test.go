package api

import (
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

func TestDiscovery(t *testing.T) {
	b := newBench(t, "a", "b")
	w1 := up("web", "w1")
	w1.Binary, w1.Zone = "nginx", "az1"
	b.sources["a"].has(w1, down("web", "w2"), up("db", "d1"))
	b.sources["b"].has(up("web", "w1:8080"))
	b.poll()
	first := `{"targets": ["w1"], "labels": {"__meta_servicegroup_source": "a", "__meta_servicegroup_group": "web",
		"__meta_servicegroup_member": "w1", "__meta_servicegroup_binary": "nginx", "__meta_servicegroup_zone": "az1",
		"__meta_servicegroup_state": "up"}}`
	require.JSONEq(t, `[`+first+`, {"targets": ["w1:8080"], "labels": {"__meta_servicegroup_source": "b",
		"__meta_servicegroup_group": "web", "__meta_servicegroup_member": "w1:8080", "__meta_servicegroup_binary": "",
		"__meta_servicegroup_zone": "", "__meta_servicegroup_state": "up"}}]`, b.ok("/sd/web"))
	require.JSONEq(t, `[`+first+`]`, b.ok("/sd/web?source=a&all=false"))
	require.JSONEq(t, `[]`, b.ok("/sd/none"))
	require.JSONEq(t, `[]`, b.ok("/sd/web/w1"))

	var targets []targetGroup
	decode(t, b.ok("/sd/web?source=a&port=9100&all=true&label.env=prod&label.__scheme__=https&label.empty="), &targets)
	require.Len(t, targets, 2)
	require.Equal(t, []string{"w1:9100"}, targets[0].Targets)
	require.Equal(t, []string{"w2:9100"}, targets[1].Targets)
	require.Equal(t, "down", targets[1].Labels["__meta_servicegroup_state"])
	require.Equal(t, "prod", targets[0].Labels["env"])
	require.Equal(t, "https", targets[1].Labels["__scheme__"])
	require.NotContains(t, targets[0].Labels, "empty")
}

// An unknown member is still a target, because it may be up.
func TestDiscoveryKeepsTheUnknown(t *testing.T) {
	b := newBench(t, "a")
	b.sources["a"].answer(&drivers.Poll{Unknown: []drivers.Member{up("web", "w1")}})
	b.poll()
	require.Contains(t, b.ok("/sd/web"), `"targets":["w1"]`)
	require.Contains(t, b.ok("/sd/web"), `"__meta_servicegroup_state":"unknown"`)
}

func TestAddress(t *testing.T) {
	for _, tt := range []struct{ name, port, want string }{
		{"host", "", "host"},
		{"host", "9100", "host:9100"},
		{"host:80", "", "host:80"},
		{"host:80", "9100", "host:9100"},
		{"10.0.0.1", "9100", "10.0.0.1:9100"},
		{"fe80::1", "", "fe80::1"},
		{"fe80::1", "9100", "[fe80::1]:9100"},
		{"[fe80::1]", "9100", "[fe80::1]:9100"},
		{"[fe80::1]:80", "9100", "[fe80::1]:9100"},
		{"a b/c", "9100", "a b/c:9100"},
	} {
		require.Equal(t, tt.want, address(tt.name, tt.port), tt)
	}
}
