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

// A victim is a member that lives as a process of its own.
type victim struct {
	*testserver.Process
	lab  *lab
	name string
}

// fill lets members live that nobody kills, so that a few dead are neither an outage nor a mass failure.
func (l *lab) fill(n int) {
	cfg, err := sources.Load(l.config)
	if err != nil {
		l.Fatalf("%v", err)
	}
	logger := slog.New(slog.DiscardHandler)
	driver, err := sources.New(cfg, nil, logger).Sources()[0].Open(logger)
	if err != nil {
		l.Fatalf("opening the backend: %v", err)
	}
	l.Cleanup(func() { driver.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for i := range n {
		request := drivers.JoinRequest{Group: groupName, Name: fmt.Sprintf("well-%02d", i+1)}
		if _, err := driver.(drivers.Joiner).Join(ctx, request); err != nil {
			l.Fatalf("joining: %v", err)
		}
	}
}

// victims starts members that can be killed.
func (l *lab) victims(n int) []*victim {
	all := make([]*victim, n)
	for i := range all {
		v := &victim{lab: l, name: fmt.Sprintf("victim-%02d", i+1)}
		v.Process = testserver.Program(l.TB, v.name, []string{l.program, "--config.file=" + l.config, "join", groupName, v.name}, v.isSeen)
		all[i] = v
	}
	return all
}

// isSeen says whether the exporter sees the member.
func (v *victim) isSeen() error {
	if v.lab.value("service_up", v.name) != 1 {
		return fmt.Errorf("%s is not up", v.name)
	}
	return nil
}

// kill kills the process as kill -9 does, and gives when.
func (v *victim) kill() time.Time {
	at := time.Now()
	v.Kill()
	return at
}

// value gives the value of a member's series, -1 if there is none.
func (l *lab) value(metric, member string) float64 {
	response, err := (&http.Client{Timeout: 10 * time.Second}).Get("http://" + l.web + "/metrics")
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

// detected gives when the exporter saw a member die.
func (l *lab) detected(member string) time.Time {
	return time.UnixMicro(int64(l.value("servicegroup_member_state_change_timestamp_seconds", member) * 1e6))
}
