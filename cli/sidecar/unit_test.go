package sidecar

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestUnitName(t *testing.T) {
	for name, want := range map[string]string{
		"nova-compute":                      "nova-compute.service",
		"nova-compute.service":              "nova-compute.service",
		"kolla-nova_compute-container":      "kolla-nova_compute-container.service",
		"a@b":                               "a@b.service",
		"a@b@c.service":                     "a@b@c.service",
		"multi-user.target":                 "multi-user.target",
		"openstack.nova":                    "openstack.nova.service",
		`dev-disk-by\x2dpath.swap`:          "dev-disk-by\\x2dpath.swap",
		strings.Repeat("x", 247):            strings.Repeat("x", 247) + ".service",
		strings.Repeat("x", 247) + ".timer": strings.Repeat("x", 247) + ".timer",
	} {
		full, err := UnitName(name)
		require.NoError(t, err)
		require.Equal(t, want, full)
	}
	for _, name := range []string{
		"", " ", "a b", "nova*", "a/b", "ü", "a'b", "a@", "a@.service", "@a", ".service", strings.Repeat("x", 248), "a\n",
	} {
		_, err := UnitName(name)
		require.ErrorContains(t, err, "give", "%q", name)
	}
}

func TestWatchProcess(t *testing.T) {
	start := func() *exec.Cmd {
		cmd := exec.Command("sleep", "60")
		require.NoError(t, cmd.Start())
		return cmd
	}
	t.Run("killed", func(t *testing.T) {
		cmd := start()
		p, err := WatchProcess(cmd.Process.Pid)
		require.NoError(t, err)
		defer p.Close()
		select {
		case <-p.Ended():
			t.Fatal("it runs")
		case <-time.After(10 * time.Millisecond):
		}
		require.NoError(t, cmd.Process.Kill())
		<-p.Ended() // Before its parent has waited for it.
		require.Error(t, cmd.Wait())
		_, err = WatchProcess(cmd.Process.Pid)
		require.ErrorIs(t, err, unix.ESRCH)
	})
	t.Run("ended before", func(t *testing.T) {
		cmd := start()
		require.NoError(t, cmd.Process.Kill())
		p, err := WatchProcess(cmd.Process.Pid)
		require.NoError(t, err)
		defer p.Close()
		<-p.Ended()
		require.Error(t, cmd.Wait())
	})
	t.Run("closed", func(t *testing.T) {
		cmd := start()
		p, err := WatchProcess(cmd.Process.Pid)
		require.NoError(t, err)
		p.Close()
		require.NoError(t, cmd.Process.Kill())
		require.Error(t, cmd.Wait())
		select {
		case <-p.Ended():
			t.Fatal("it is not watched any more")
		case <-time.After(10 * time.Millisecond):
		}
	})
	for _, pid := range []int{0, -1, 1 << 30} {
		_, err := WatchProcess(pid)
		require.Error(t, err, pid)
	}
}

// variants returns properties as D-Bus has them.
func variants(values map[string]any) map[string]dbus.Variant {
	p := make(map[string]dbus.Variant)
	for name, v := range values {
		p[name] = dbus.MakeVariant(v)
	}
	return p
}

func TestDecode(t *testing.T) {
	read := map[string]any{
		"LoadState": "loaded", "ActiveState": "failed", "SubState": "failed", "InvocationID": []byte{0xab, 0x01}, "MainPID": uint32(0),
		"NRestarts": uint32(5), "Result": "signal", "ExecMainCode": int32(2), "ExecMainStatus": int32(9),
		"ActiveExitTimestamp": uint64(1_700_000_000_000_001), "ActiveExitTimestampMonotonic": uint64(7_000_001),
		"ExecMainExitTimestamp": uint64(1_700_000_000_000_000), "ExecMainExitTimestampMonotonic": uint64(7_000_000),
	}
	require.Equal(t, State{
		Load: "loaded", Active: "failed", Sub: "failed", Invocation: "ab01", Restarts: 5, Result: "signal", ExitCode: 2, ExitStatus: 9,
		LeftActive: Stamp{At: time.UnixMicro(1_700_000_000_000_001), Monotonic: 7_000_001 * time.Microsecond},
		MainExited: Stamp{At: time.UnixMicro(1_700_000_000_000_000), Monotonic: 7 * time.Second},
	}, decode(variants(read)))
	require.Equal(t, State{}, decode(nil), "a unit without properties")
	for name := range read { // Properties of another type count as missing.
		read[name] = struct{ X string }{"odd"}
		_ = decode(variants(read))
	}
	require.Equal(t, State{}, decode(variants(read)))
}

// Properties of the unit's type come first. They count with the properties that all units have, and only if these are new.
func TestChange(t *testing.T) {
	const at = changedAt
	b := &systemBus{properties: variants(map[string]any{"ActiveState": "active", "Result": "success"}), newest: 5}
	signal := func(of string, values map[string]any) (bool, bool) {
		return b.handle(&dbus.Signal{Name: properties + ".PropertiesChanged", Body: []any{of, variants(values), []string{}}})
	}
	changed, read := signal(busName+".Service", map[string]any{"Result": "signal"})
	require.False(t, changed || read, "the other half is to come")
	require.Equal(t, "success", decode(b.properties).Result)
	changed, read = signal(unitInterface, map[string]any{"ActiveState": "failed", at: uint64(6)})
	require.True(t, changed)
	require.False(t, read)
	require.Equal(t, State{Active: "failed", Result: "signal"}, decode(b.properties))

	b.newest = 6
	signal(busName+".Service", map[string]any{"Result": "watchdog"})
	changed, _ = signal(unitInterface, map[string]any{"ActiveState": "active", at: uint64(5)})
	require.False(t, changed, "it was sent before the properties were read")
	require.Equal(t, State{Active: "failed", Result: "signal"}, decode(b.properties))

	changed, _ = signal(unitInterface, map[string]any{at: uint64(6)})
	require.True(t, changed)
	require.Equal(t, State{Active: "failed", Result: "signal"}, decode(b.properties), "an old half does not count later")

	for _, test := range []struct {
		name string
		body []any
		read bool
	}{
		{manager + ".Reloading", []any{true}, false},
		{manager + ".Reloading", []any{false}, true},
		{manager + ".Reloading", nil, false},
		{"org.freedesktop.DBus.NameAcquired", []any{":1.2"}, false},
		{nameOwnerChanged, []any{busName, ":1.1", ""}, false},
		{nameOwnerChanged, []any{busName, "", ":1.2"}, true},
		{nameOwnerChanged, nil, false},
		{properties + ".PropertiesChanged", nil, true},
		{properties + ".PropertiesChanged", []any{1, 2, 3}, true},
	} {
		changed, read := b.handle(&dbus.Signal{Name: test.name, Body: test.body})
		require.False(t, changed, test)
		require.Equal(t, test.read, read, test)
	}
}
