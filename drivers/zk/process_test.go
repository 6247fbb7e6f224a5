package zk

import (
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFate(t *testing.T) {
	self := thisProcess()
	require.NotZero(t, self.Start)
	require.NotEmpty(t, self.Boot)
	require.NotEmpty(t, self.Namespace)
	require.NotEmpty(t, self.Host)
	require.Equal(t, alive, self.fateOf(self))

	with := func(change func(*process)) process {
		p := self
		change(&p)
		return p
	}
	require.Equal(t, gone, self.fateOf(with(func(p *process) { p.Start-- })), "its id was used again")
	require.Equal(t, unknown, self.fateOf(with(func(p *process) { p.Boot = "another" })), "it is on another machine")
	require.Equal(t, unknown, self.fateOf(with(func(p *process) { p.Namespace = "another" })), "it is in another container")
	require.Equal(t, alive, self.fateOf(with(func(p *process) { p.Host = "another" })), "a host may be renamed")
	for _, p := range []process{
		{}, with(func(p *process) { p.Boot = "" }), with(func(p *process) { p.Start = 0 }), with(func(p *process) { p.PID = -1 }),
	} {
		require.Equal(t, unknown, self.fateOf(p), "%v says too little", p)
	}
}

func TestFateOfChild(t *testing.T) {
	cmd := exec.Command("sleep", "1000")
	require.NoError(t, cmd.Start())
	self, child := thisProcess(), thisProcess()
	child.PID = cmd.Process.Pid
	child.Start, _ = startOf(child.PID)
	require.Equal(t, alive, self.fateOf(child))

	require.NoError(t, cmd.Process.Kill())
	require.Eventually(t, func() bool { return self.fateOf(child) == gone }, 10*time.Second, time.Millisecond,
		"a zombie does not live")
	require.Error(t, cmd.Wait())
	require.Equal(t, gone, self.fateOf(child))
}

// The command in the stat file may look like the fields after it.
func TestStartOfOddCommand(t *testing.T) {
	cmd := exec.Command("sh", "-c", `cp "$(command -v sleep)" "$0/a) Z (b" && exec "$0/a) Z (b" 1000`, t.TempDir())
	require.NoError(t, cmd.Start())
	defer func() {
		require.NoError(t, cmd.Process.Kill())
		require.Error(t, cmd.Wait())
	}()
	before, living := startOf(cmd.Process.Pid)
	require.True(t, living)
	require.Positive(t, before)
	require.Never(t, func() bool {
		start, living := startOf(cmd.Process.Pid)
		return !living || start != before
	}, 300*time.Millisecond, 10*time.Millisecond)
}
