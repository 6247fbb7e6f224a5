package mc

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// interpreter is Debian's.
const interpreter = "/usr/bin/python3"

// python runs a program with Debian's Python, which has the libraries that Nova uses, and parses the JSON that it prints.
func python(t *testing.T, answer any, args ...string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), interpreter, args...).Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		t.Fatalf("%s %q: %v (run `make deps` if a module is missing)\n%s", interpreter, args, err, exit.Stderr)
	}
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(out, answer), "%s", out)
}

// An osloAnswer is what testdata/oslo.py prints.
type osloAnswer struct {
	Before, After float64
	Keys          map[string]struct {
		Up      bool
		Payload string
	}
}

// An osloClient reads and writes heartbeats with the real oslo.cache.
type osloClient struct {
	t       *testing.T
	backend string
	d       *Driver
}

func (c osloClient) run(action string, names ...string) (a osloAnswer) {
	c.t.Helper()
	down := strconv.Itoa(int(c.d.cfg.DownTime().Seconds()))
	args := []string{"testdata/oslo.py", c.backend, strings.Join(c.d.cfg.Servers, ","), down, action}
	for _, name := range names {
		args = append(args, "compute:"+name)
	}
	python(c.t, &a, args...)
	return a
}

// up returns the verdict of oslo.cache's reader about one member.
func (c osloClient) up(name string) bool {
	c.t.Helper()
	return c.run("get", name).Keys["compute:"+name].Up
}

// The driver reads what each client of the real oslo.cache writes, and oslo.cache reads what the driver writes.
func TestOsloCache(t *testing.T) {
	t.Parallel()
	first, second := testserver.Memcached(t), testserver.Memcached(t)
	cfg := config(first, second)
	cfg.ServiceDownTime = drivers.Duration(time.Minute)
	cfg.ReportInterval = drivers.Duration(time.Second)
	names := []string{"alfa", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "one"}
	for _, backend := range []string{
		"dogpile.cache.memcached", "oslo_cache.memcache_pool", "dogpile.cache.pymemcache", "dogpile.cache.bmemcached",
	} {
		t.Run(backend, func(t *testing.T) {
			first.Command("flush_all")
			second.Command("flush_all")
			d := open(t, cfg, rosterOf(append(names, "never")...))
			waitUntilTrusted(t, d)
			nova := osloClient{t, backend, d}

			wrote := nova.run("set", names...)
			p := poll(t, d)
			for _, name := range names {
				m := find(p, name)
				require.NotNil(t, m, name)
				require.True(t, m.Up, name)
				require.GreaterOrEqual(t, m.LastHeartbeat.UnixMicro(), int64(wrote.Before*1e6)-1)
				require.LessOrEqual(t, m.LastHeartbeat.UnixMicro(), int64(wrote.After*1e6)+1)
			}
			require.Equal(t, "down", verdictOf(p, "never"))

			m, err := d.Join(t.Context(), one)
			require.NoError(t, err)
			read := nova.run("get", "one", "never").Keys
			require.True(t, read["compute:one"].Up)
			require.False(t, read["compute:never"].Up)
			payload, err := time.Parse("2006-01-02T15:04:05.999999", read["compute:one"].Payload)
			require.NoError(t, err)
			require.WithinDuration(t, time.Now(), payload, 10*time.Second, "a datetime in UTC")

			require.NoError(t, m.Die(t.Context(), drivers.Death{At: time.Now()}))
			require.False(t, nova.up("one"), "a member that died is down for Nova too")
			m, err = d.Join(t.Context(), one)
			require.NoError(t, err)
			require.True(t, nova.up("one"))
			require.NoError(t, m.Leave(t.Context()))
			require.False(t, nova.up("one"))
		})
	}
}

// For heartbeats of any age the verdict is that of the real oslo.cache.
func TestVerdictsOfOsloCache(t *testing.T) {
	t.Parallel()
	cfg := config(testserver.Memcached(t))
	cfg.ServiceDownTime = drivers.Duration(time.Minute)
	ages := []time.Duration{-time.Hour, -61 * time.Second, -59 * time.Second, 0, 40 * time.Second, 62 * time.Second, time.Hour}
	var names []string
	for _, age := range ages {
		names = append(names, age.String())
	}
	d := open(t, cfg, rosterOf(append(names, "never")...))
	waitUntilTrusted(t, d)
	now := time.Now()
	for i, age := range ages {
		write(t, d, 0, names[i], now.Add(-age))
	}
	answer := osloClient{t, "dogpile.cache.pymemcache", d}.run("get", append(names, "never")...)
	ups := 0
	for key, says := range answer.Keys {
		name := strings.TrimPrefix(key, "compute:")
		require.Equal(t, says.Up, verdictOf(poll(t, d), name) == "up", name)
		if says.Up {
			ups++
		}
	}
	require.Len(t, answer.Keys, 8)
	require.Equal(t, 5, ups)
}

// A service loses one heartbeat on its old connection when memcached restarts. It is not down meanwhile, not even for a
// driver that was opened only then.
func TestRestartUnderOsloCache(t *testing.T) {
	t.Parallel()
	for _, backend := range []string{"oslo_cache.memcache_pool", "dogpile.cache.pymemcache"} {
		t.Run(backend, func(t *testing.T) {
			server := testserver.Memcached(t)
			cfg := config(server)
			cfg.ServiceDownTime, cfg.ReportInterval = drivers.Duration(time.Minute), drivers.Duration(3*time.Second)
			d := open(t, cfg, rosterOf("one"))
			beats := osloClient{t, backend, d}.beat("one")
			beats()
			eventually(t, d, "one", "up")
			beats()
			time.Sleep(100 * time.Millisecond) // It is written.
			server.Kill()
			server.Start()
			restarted := time.Now()
			seen := map[string]bool{}
			for !seen["up"] && time.Since(restarted) < time.Minute {
				fresh := open(t, cfg, rosterOf("one"))
				seen[verdictOf(poll(t, fresh), "one")] = true
				require.NoError(t, fresh.Close())
				time.Sleep(20 * time.Millisecond)
			}
			require.Equal(t, map[string]bool{"unknown": true, "up": true}, seen)
		})
	}
}

// beat starts a service that writes heartbeats at the report interval. The function that it gives waits for the next.
func (c osloClient) beat(name string) (wait func()) {
	c.t.Helper()
	interval := time.Duration(c.d.cfg.ReportInterval).Seconds()
	cmd := exec.CommandContext(c.t.Context(), interpreter, "testdata/oslo.py", c.backend, strings.Join(c.d.cfg.Servers, ","),
		"60", "beat", "compute:"+name, strconv.FormatFloat(interval, 'f', -1, 64))
	out, err := cmd.StdoutPipe()
	require.NoError(c.t, err)
	require.NoError(c.t, cmd.Start())
	c.t.Cleanup(func() { _ = cmd.Wait() }) // The end of the test's context killed it.
	lines := bufio.NewScanner(out)
	return func() {
		c.t.Helper()
		require.True(c.t, lines.Scan(), "the service ended")
	}
}

// Every protocol of the real pickle is read.
func TestEveryProtocol(t *testing.T) {
	t.Parallel()
	const program = `
import datetime, json, pickle
from dogpile.cache.api import CachedValue
payload = datetime.datetime(2026, 10, 13, 10, 13, 10, 656394)
print(json.dumps([pickle.dumps(CachedValue(payload, metadata), protocol).hex()
    for protocol in range(6) for metadata in ({"ct": 1795362519.564977, "v": 2}, {"v": 1, "ct": 1795362519.564977})]))`
	var values []string
	python(t, &values, "-c", program)
	require.Len(t, values, 12)
	for _, value := range values {
		pickle, err := hex.DecodeString(value)
		require.NoError(t, err)
		seconds, err := creationTime(pickle)
		require.NoError(t, err, "%q", pickle)
		require.InDelta(t, 1795362519.564977, seconds, 1e-9)
	}
}

// Before release 14 Nova used python-memcached itself.
func TestPlainHeartbeats(t *testing.T) {
	t.Parallel()
	server := testserver.Memcached(t)
	cfg := config(server)
	cfg.KeyFormat = KeyFormatPlain
	d := open(t, cfg, rosterOf("one"))
	waitUntilTrusted(t, d)
	require.Equal(t, "down", verdictOf(poll(t, d), "one"))
	nova := func(action string) (payload *string) {
		python(t, &payload, "testdata/plain.py", server.Addr(), "2", action, "compute:one")
		return payload
	}
	require.NotNil(t, nova("set"))
	require.Equal(t, "up", verdictOf(poll(t, d), "one"))
	eventually(t, d, "one", "down")

	m, err := d.Join(t.Context(), one)
	require.NoError(t, err)
	read := nova("get")
	require.NotNil(t, read)
	payload, err := time.Parse("2006-01-02T15:04:05.999999", *read)
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), payload, 10*time.Second)
	require.NoError(t, m.Leave(t.Context()))
	require.Nil(t, nova("get"))
}
