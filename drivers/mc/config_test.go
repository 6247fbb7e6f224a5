package mc

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

func TestServers(t *testing.T) {
	for s, want := range map[string]address{
		"mc1": "mc1:11211", "mc1:11212": "mc1:11212", "10.0.0.1": "10.0.0.1:11211", "::1": "[::1]:11211", "[::1]": "[::1]:11211",
		"[2001:db8::1]:1": "[2001:db8::1]:1",
	} {
		addr, err := parseServer(s)
		require.NoError(t, err, s)
		require.Equal(t, want, addr)
	}
	for _, s := range []string{"", ":11211", "mc1:", "mc1:0", "mc1:65536", "mc1:x", "a,b", "a b", "/run/memcached.sock", "inet6:[::1]:11211"} {
		_, err := parseServer(s)
		require.ErrorContains(t, err, fmt.Sprintf("%q", s))
	}
}

func TestValidate(t *testing.T) {
	good := func() Config {
		cfg := DefaultConfig()
		cfg.Servers = []string{"mc1", "mc2"}
		return cfg
	}
	cfg := good()
	require.NoError(t, cfg.Validate())
	many := make([]string, maxServers+1)
	for i := range many {
		many[i] = fmt.Sprint("mc", i)
	}
	for want, change := range map[string]func(*Config){
		"servers: is empty: list at least one server, for example [mc1:11211, mc2:11211]": func(c *Config) { c.Servers = nil },
		`servers: "mc1:11211" is given twice`:                                             func(c *Config) { c.Servers = []string{"mc1", "mc1:11211"} },
		"servers: has 65 servers; at most 64 are possible":                                func(c *Config) { c.Servers = many },
		`key_format: "md5" is not one of sha1, plain`:                                     func(c *Config) { c.KeyFormat = "md5" },
		"service_down_time: is 0s, must be positive":                                      func(c *Config) { c.ServiceDownTime = 0 },
		"report_interval: is 0s, must be positive":                                        func(c *Config) { c.ReportInterval = 0 },
		"timeout: is 0s, must be positive":                                                func(c *Config) { c.Timeout = 0 },
	} {
		cfg := good()
		change(&cfg)
		err := cfg.Validate()
		require.EqualError(t, err, want)
		require.NotNil(t, drivers.FieldOf(err))

		roster := rosterOf()
		_, err = Open(cfg, roster, slog.New(slog.DiscardHandler))
		require.EqualError(t, err, want)
		require.Equal(t, 1, roster.closed, "a failed Open closes the roster")
	}
}

func TestDownTime(t *testing.T) {
	cfg := DefaultConfig()
	require.Equal(t, time.Minute, cfg.DownTime())
	cfg.ReportInterval = cfg.ServiceDownTime
	require.Equal(t, 150*time.Second, cfg.DownTime(), "as Nova corrects it")
}
