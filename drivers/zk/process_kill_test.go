package zk_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	zkclient "github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk"
	"servicegroup_exporter/internal/testserver"
)

// joinerEnv makes the test binary join a group. Its value is address, group, name and session timeout.
const joinerEnv = "ZK_TEST_JOIN"

// dns knows the names of the tests' servers.
var dns *testserver.DNS

func TestMain(m *testing.M) {
	if args := os.Getenv(joinerEnv); args != "" {
		fmt.Println(joinUntilKilled(strings.Fields(args)))
		os.Exit(1)
	}
	var code int
	os.Exit(max(servers.bench.Run(func() {
		dns = testserver.StartDNS(&servers.bench)
		code = m.Run()
	}), code))
}

// joinUntilKilled joins, prints "joined", and waits until the process is killed or the membership ends.
func joinUntilKilled(args []string) error {
	cfg := configFor(args[0])
	if err := cfg.SessionTimeout.UnmarshalText([]byte(args[3])); err != nil {
		return err
	}
	d, err := zk.Open(cfg, discard())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), prompt)
	defer cancel()
	m, err := d.Join(ctx, drivers.JoinRequest{Group: args[1], Name: args[2]})
	if err != nil {
		return err
	}
	fmt.Println("joined")
	<-m.Done()
	return m.Err()
}

// A process is a child process that has joined.
type process struct {
	*exec.Cmd
	output *bufio.Reader
}

// startJoiner starts a process that joins, and waits until it has.
func startJoiner(t *testing.T, server *testserver.ZK, group, name string, timeout time.Duration) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %s %v", joinerEnv, server.Addr(), group, name, timeout))
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	p := &process{cmd, bufio.NewReader(out)}
	t.Cleanup(func() { p.kill(t) })
	require.Equal(t, "joined", p.line(t))
	return p
}

func (p *process) line(t *testing.T) string {
	t.Helper()
	line, err := p.output.ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSpace(line)
}

// kill ends the process as kill -9 does.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if p.ProcessState != nil {
		return
	}
	require.NoError(t, p.Process.Kill())
	require.Error(t, p.Wait())
}

func TestKilledProcess(t *testing.T) {
	t.Parallel()
	server := emptyServer(t)
	d := open(t, config(server))

	// The session expires, the watch fires, and the roster still has the member.
	t.Run("is dead", func(t *testing.T) {
		p := startJoiner(t, server, "killed", "one", sessionTimeout)
		require.Equal(t, "up", states(poll(t, d))["killed/one"])
		drainSignal(d)
		killed := time.Now()
		p.kill(t)
		requireSignal(t, d, "the session expired")
		seen := time.Now()
		found := poll(t, d)
		m := find(t, found, "killed", "one")
		require.False(t, m.Up)
		require.True(t, m.Rostered)
		require.Zero(t, m.Died, "no process saw it die")
		require.Equal(t, sessionTimeout, m.SessionTimeout)
		require.WithinRange(t, found.Changed["killed"], killed, seen)
		t.Logf("the death was seen after %v", seen.Sub(killed))
	})

	// The session timeout is so long that the session does not expire before the name is taken over.
	const long = 5 * time.Second
	t.Run("takes its name back", func(t *testing.T) {
		cfg := config(server)
		cfg.SessionTimeout = drivers.Duration(long)
		p := startJoiner(t, server, "restarted", "one", long)
		p.kill(t)
		begun := time.Now()
		join(t, open(t, cfg), "restarted", "one")
		t.Logf("taken over after %v", time.Since(begun))            // TestCheckOwner requires that Join does not wait.
		requireStays(t, d, long+time.Second, "restarted/one", "up") // The end of the old session does not matter.
	})

	t.Run("keeps its name while it runs", func(t *testing.T) {
		p := startJoiner(t, server, "live", "one", sessionTimeout)
		_, err := d.Join(t.Context(), drivers.JoinRequest{Group: "live", Name: "one"}) // TestCheckOwner: it does not wait.
		require.ErrorIs(t, err, drivers.ErrNameTaken)
		require.NotErrorIs(t, err, drivers.ErrUnavailable)
		host, _ := os.Hostname()
		require.ErrorContains(t, err, "process "+strconv.Itoa(p.Process.Pid)+" on "+host+" since 20")
		require.Equal(t, "up", states(poll(t, d))["live/one"])
	})

	t.Run("is told that it was removed", func(t *testing.T) {
		p := startJoiner(t, server, "removed", "one", sessionTimeout)
		require.NoError(t, d.Leave(t.Context(), "removed", "one"))
		require.Contains(t, p.line(t), drivers.ErrRemoved.Error())
	})
}

// If the owner of a name is another program, Join waits for as long as the session of a dead owner may last.
func TestNameOfOtherProgram(t *testing.T) {
	t.Parallel()
	server := emptyServer(t)
	c := otherClient(t, server.Addr())
	createTree(t, c, "/servicegroups", "", "/servicegroups/g", "ZKMembers")
	d := open(t, config(server))

	t.Run("stays", func(t *testing.T) {
		create(t, c, "/servicegroups/g/stays", "0.7364712", zkclient.FlagEphemeral)
		begun := time.Now()
		_, err := d.Join(t.Context(), drivers.JoinRequest{Group: "g", Name: "stays"})
		require.ErrorIs(t, err, drivers.ErrNameTaken)
		require.ErrorContains(t, err, "0.7364712")
		require.ErrorContains(t, err, fmt.Sprintf("%#x", c.SessionID()))
		require.Greater(t, time.Since(begun), sessionTimeout)
		require.Equal(t, map[string]string{"g/stays": "up"}, states(poll(t, d)), "nothing was written")
	})

	t.Run("is deleted", func(t *testing.T) {
		create(t, c, "/servicegroups/g/deleted", "0.1", zkclient.FlagEphemeral)
		deleted := make(chan error, 1)
		timer := time.AfterFunc(500*time.Millisecond, func() { deleted <- c.Delete("/servicegroups/g/deleted", -1) })
		defer timer.Stop()
		cfg := config(server)
		cfg.SessionTimeout = drivers.Duration(10 * time.Minute) // Join waits for longer: only the watch ends the wait in time.
		patient := open(t, cfg)
		join(t, patient, "g", "deleted")
		require.NoError(t, <-deleted)
		require.True(t, find(t, poll(t, d), "g", "deleted").Rostered)
	})

	t.Run("the wait ends with the context", func(t *testing.T) {
		create(t, c, "/servicegroups/g/waiting", "0.1", zkclient.FlagEphemeral)
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		_, err := d.Join(ctx, drivers.JoinRequest{Group: "g", Name: "waiting"})
		require.ErrorIs(t, err, drivers.ErrUnavailable)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})

	t.Run("is not a member", func(t *testing.T) {
		createTree(t, c, "/servicegroups/g/leader", "")
		_, err := d.Join(t.Context(), drivers.JoinRequest{Group: "g", Name: "leader"})
		require.ErrorIs(t, err, drivers.ErrNameTaken)
		require.ErrorContains(t, err, "persistent")
	})

	t.Run("is removed by Leave", func(t *testing.T) {
		create(t, c, "/servicegroups/g/other", "0.1", zkclient.FlagEphemeral)
		require.NoError(t, d.Leave(t.Context(), "g", "other"))
		require.NotContains(t, states(poll(t, d)), "g/other")
	})
}
