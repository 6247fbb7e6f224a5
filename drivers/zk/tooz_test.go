package zk_test

import (
	"bufio"
	"io"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A toozMember is a process that joins by the real tooz library, with a session timeout of two seconds.
type toozMember struct {
	t      *testing.T
	cmd    *exec.Cmd
	input  io.WriteCloser
	output *bufio.Scanner
}

// startTooz starts a member and waits until it has joined.
func startTooz(t *testing.T, server, member string, groups ...string) *toozMember {
	t.Helper()
	args := append([]string{"testdata/tooz_member.py", server, "designate", member}, groups...)
	m := &toozMember{t: t, cmd: exec.CommandContext(t.Context(), "/usr/bin/python3", args...)}
	m.cmd.Stderr = t.Output()
	var err error
	m.input, err = m.cmd.StdinPipe()
	require.NoError(t, err)
	out, err := m.cmd.StdoutPipe()
	require.NoError(t, err)
	m.output = bufio.NewScanner(out)
	require.NoError(t, m.cmd.Start())
	t.Cleanup(m.kill)
	m.expect("joined")
	return m
}

func (m *toozMember) expect(word string) {
	m.t.Helper()
	late := time.AfterFunc(prompt, func() { _ = m.cmd.Process.Kill() }) // This ends its output, too.
	defer late.Stop()
	require.True(m.t, m.output.Scan(), "the process ended; run `make deps` if a module is missing")
	require.Equal(m.t, word, m.output.Text())
}

// kill ends the process as kill -9 does.
func (m *toozMember) kill() {
	if m.cmd.ProcessState == nil {
		_ = m.cmd.Process.Kill() // It may have ended.
		_ = m.cmd.Wait()
	}
}

// leave makes the process leave its groups, and waits until it has done so.
func (m *toozMember) leave() {
	m.t.Helper()
	require.NoError(m.t, m.input.Close())
	m.expect("left")
}

// The real tooz library writes the znodes. It also makes a lock and an election, whose znodes are not members.
func TestTooz(t *testing.T) {
	t.Parallel()
	server := emptyServer(t)
	cfg := config(server)
	cfg.Layout, cfg.Prefix = "tooz", "/designate"
	d := open(t, cfg)
	require.Empty(t, poll(t, d).Members)

	first := startTooz(t, server.Addr(), "host-1:"+idA, "producer", "evaluator")
	startTooz(t, server.Addr(), idB, "producer", "evaluator")
	both := map[string]string{
		"producer/host-1": "up", "producer/anonymous": "up",
		"evaluator/host-1": "up", "evaluator/anonymous": "up",
	}
	require.Equal(t, both, states(poll(t, d)))

	c := otherClient(t, server.Addr())
	_, stat, err := c.Get("/designate/producer/leader")
	require.NoError(t, err, "there was an election")
	require.Zero(t, stat.EphemeralOwner, "the znode of the election is persistent")
	_, _, err = c.Get("/designate/locks/some-lock")
	require.NoError(t, err, "there was a lock")

	// The znodes of a killed process exist until its session expires. The process that replaces it has another random id.
	first.kill()
	require.Equal(t, both, states(poll(t, d)), "its session has not expired")
	eventually(t, d, prompt, "producer/host-1", "")
	require.Equal(t, map[string]string{"producer/anonymous": "up", "evaluator/anonymous": "up"}, states(poll(t, d)))
	second := startTooz(t, server.Addr(), "host-1:"+idC, "producer", "evaluator")
	require.Equal(t, both, states(poll(t, d)))

	second.leave()
	require.NotContains(t, states(poll(t, d)), "producer/host-1", "it has left")
	require.NotContains(t, states(poll(t, d)), "evaluator/host-1")
}
