package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
	"servicegroup_exporter/sources"
)

// A victim is a member with its own process, which is killed.
type victim struct {
	*testserver.Process
	env  *environment
	name string
}

// joinLiveMembers joins members that live all the time, so that a few deaths are neither an outage nor a mass failure.
func (env *environment) joinLiveMembers(n int) {
	cfg, err := sources.Load(env.config)
	if err != nil {
		env.Fatalf("%v", err)
	}
	logger := slog.New(slog.DiscardHandler)
	driver, err := sources.New(cfg, nil, logger).Sources()[0].Open(logger)
	if err != nil {
		env.Fatalf("opening the backend: %v", err)
	}
	env.Cleanup(func() { driver.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), waitTimeout)
	defer cancel()
	for i := range n {
		request := drivers.JoinRequest{Group: groupName, Name: fmt.Sprintf("live-%02d", i+1)}
		if _, err := driver.(drivers.Joiner).Join(ctx, request); err != nil {
			env.Fatalf("joining: %v", err)
		}
	}
}

// startVictims starts members that are killed later.
func (env *environment) startVictims(n int) []*victim {
	all := make([]*victim, n)
	for i := range all {
		v := &victim{env: env, name: fmt.Sprintf("victim-%02d", i+1)}
		v.Process = testserver.Program(env.TB, v.name, []string{env.program, "--config.file=" + env.config, "join", groupName, v.name}, v.isUp)
		all[i] = v
	}
	return all
}

// isUp returns an error unless the exporter sees the member up.
func (v *victim) isUp() error {
	if v.env.value("service_up", v.name) != 1 {
		return fmt.Errorf("%s is not up", v.name)
	}
	return nil
}

// kill kills the process with kill -9, and returns when.
func (v *victim) kill() time.Time {
	at := time.Now()
	v.Kill()
	return at
}

// value returns the value of a member's series, or -1 if there is none.
func (env *environment) value(metric, member string) float64 {
	response, err := (&http.Client{Timeout: 10 * time.Second}).Get("http://" + env.web + "/metrics")
	if err != nil {
		return -1
	}
	defer response.Body.Close()
	series := regexp.MustCompile(`^` + metric + `\{[^}]*member="` + regexp.QuoteMeta(member) + `"[^}]*\} (.*)$`)
	for lines := bufio.NewScanner(io.LimitReader(response.Body, 64<<20)); lines.Scan(); {
		if match := series.FindStringSubmatch(strings.TrimSpace(lines.Text())); match != nil {
			value, err := strconv.ParseFloat(match[1], 64)
			if err == nil {
				return value
			}
		}
	}
	return -1
}

// detected returns when the exporter detected the death of a member.
func (env *environment) detected(member string) time.Time {
	return time.UnixMicro(int64(env.value("servicegroup_member_state_change_timestamp_seconds", member) * 1e6))
}
