package zk

import (
	"os/exec"
	"testing"
	"time"

	zkclient "github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

func TestProcessState(t *testing.T) {
	t.Parallel()
	self := thisProcess()
	require.NotZero(t, self.Start)
	require.NotEmpty(t, self.Boot)
	require.NotEmpty(t, self.Namespace)
	require.NotEmpty(t, self.Host)
	require.Equal(t, processRuns, self.stateOf(self))

	with := func(change func(*process)) process {
		p := self
		change(&p)
		return p
	}
	require.Equal(t, processEnded, self.stateOf(with(func(p *process) { p.Start-- })), "another process has its id")
	require.Equal(t, processUnknown, self.stateOf(with(func(p *process) { p.Boot = "another" })), "it ran on another machine")
	require.Equal(t, processUnknown, self.stateOf(with(func(p *process) { p.Namespace = "another" })), "it runs in another container")
	require.Equal(t, processRuns, self.stateOf(with(func(p *process) { p.Host = "another" })), "a host may be renamed")
	for _, p := range []process{
		{}, with(func(p *process) { p.Boot = "" }), with(func(p *process) { p.Start = 0 }), with(func(p *process) { p.PID = -1 }),
	} {
		require.Equal(t, processUnknown, self.stateOf(p), "%v has empty fields", p)
	}
}

func TestStateOfChild(t *testing.T) {
	cmd := exec.Command("sleep", "1000")
	require.NoError(t, cmd.Start())
	self, child := thisProcess(), thisProcess()
	child.PID = cmd.Process.Pid
	child.Start, _ = startOf(child.PID)
	require.Equal(t, processRuns, self.stateOf(child))

	require.NoError(t, cmd.Process.Kill())
	require.Eventually(t, func() bool { return self.stateOf(child) == processEnded }, 10*time.Second, time.Millisecond,
		"a zombie does not run")
	require.Error(t, cmd.Wait())
	require.Equal(t, processEnded, self.stateOf(child))
}

// Join waits only for an owner of whom it does not know whether it runs.
func TestCheckOwner(t *testing.T) {
	self := thisProcess()
	ended, other := self, self
	ended.Start--
	other.Boot = "another"
	for name, test := range map[string]struct {
		owner       process
		free, waits bool
		err         error
	}{
		"this process":           {self, false, false, drivers.ErrNameTaken},
		"a process that ended":   {ended, true, false, nil},
		"one of another machine": {other, false, true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			m := &membership{driver: &Driver{config: DefaultConfig(), process: self}}
			free, err := m.checkOwner(&memberState{
				present: true, isRecord: true, stat: zkclient.Stat{EphemeralOwner: 1}, owner: record{ID: "another", Process: test.owner},
			})
			require.ErrorIs(t, err, test.err)
			require.Equal(t, test.free, free)
			require.Equal(t, test.waits, !m.waitUntil.IsZero())
		})
	}
}

// The command in the stat file may look like the fields after it.
func TestStartOfOddCommand(t *testing.T) {
	cmd := exec.Command("sh", "-c", `cp "$(command -v sleep)" "$0/a) Z (b" && exec "$0/a) Z (b" 1000`, t.TempDir())
	require.NoError(t, cmd.Start())
	defer func() {
		require.NoError(t, cmd.Process.Kill())
		require.Error(t, cmd.Wait())
	}()
	before, runs := startOf(cmd.Process.Pid)
	require.True(t, runs)
	require.Positive(t, before)
	require.Never(t, func() bool {
		start, runs := startOf(cmd.Process.Pid)
		return !runs || start != before
	}, 300*time.Millisecond, 10*time.Millisecond)
}
