package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/sources"
)

// extraName is the name of a member that joins only for faults of a single member.
const extraName = "extra"

// live returns the names of the members that live all the time.
func (env *environment) live() []string {
	names := make([]string, env.liveMembers)
	for i := range names {
		names[i] = fmt.Sprintf("live-%02d", i+1)
	}
	return names
}

// joinLiveMembers joins the members that live all the time. Each has its own connections, as a process would.
func (env *environment) joinLiveMembers() {
	cfg, err := sources.Load(env.config("member"))
	if err != nil {
		env.Fatalf("%v", err)
	}
	log, err := os.Create(env.memberLog())
	if err != nil {
		env.Fatalf("creating a log: %v", err)
	}
	env.Cleanup(func() { log.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), waitTimeout)
	defer cancel()
	source := sources.New(cfg, nil, slog.New(slog.DiscardHandler)).Sources()[0]
	for _, name := range env.live() {
		driver, err := source.Open(slog.New(slog.NewTextHandler(log, nil)).With("member", name))
		if err != nil {
			env.Fatalf("opening the backend: %v", err)
		}
		env.Cleanup(func() { driver.Close() })
		if _, err := driver.(drivers.Joiner).Join(ctx, drivers.JoinRequest{Group: groupName, Name: name}); err != nil {
			env.Fatalf("joining: %v", err)
		}
	}
}

// memberLog returns the path of the log of the members.
func (env *environment) memberLog() string { return filepath.Join(env.dir, "members.log") }

// logDetails logs the logs of the exporter and the members, to show why something failed.
func (env *environment) logDetails() {
	text, err := os.ReadFile(env.memberLog())
	if err != nil {
		env.Logf("reading the members' log: %v", err)
	}
	env.Logf("the exporter's log:\n%s\nthe members' log:\n%s", env.exporter.Log(), text[max(0, len(text)-maxLog):])
}

// maxLog is how many bytes of the members' log are logged.
const maxLog = 16 << 10

// makeDead joins members and kills them, so that they are dead during all faults.
func (env *environment) makeDead(names ...string) {
	env.dead = names
	var alive []*victim
	for _, name := range names {
		v := &victim{env: env, name: name}
		v.start()
		alive = append(alive, v)
	}
	env.eventually("all members are up", func() bool { return env.watch.last().allUp(append(env.live(), names...)) })
	for _, v := range alive {
		v.kill()
	}
	env.eventually("the dead members are down", env.settled)
}

// settled reports whether the last scrape had all live members up and all dead members down.
func (env *environment) settled() bool {
	s := env.watch.last()
	return s.allUp(env.live()) && s.allDown(env.dead)
}

// A victim is a member with its own process, which is killed.
type victim struct {
	env  *environment
	name string
	cmd  *exec.Cmd
}

// start starts the process.
func (v *victim) start() {
	v.cmd = exec.Command(v.env.program, "--config.file="+v.env.config("member"), "join", groupName, v.name)
	v.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := v.cmd.Start(); err != nil {
		v.env.Fatalf("starting a member: %v", err)
	}
	v.env.Cleanup(v.kill)
}

// kill kills the process as kill -9 does.
func (v *victim) kill() {
	if v.cmd == nil {
		return
	}
	if err := v.cmd.Process.Kill(); err != nil {
		v.env.Logf("killing a member: %v", err)
	}
	_ = v.cmd.Wait() // It returns that the process was killed.
	v.cmd = nil
}

// signal sends a signal to the process.
func (v *victim) signal(s syscall.Signal) {
	if err := v.cmd.Process.Signal(s); err != nil {
		v.env.Fatalf("sending %v to a member: %v", s, err)
	}
}

// eventually waits for a condition, and fails if it does not become true in time.
func (env *environment) eventually(what string, condition func() bool) {
	if !env.becomesTrue(condition) {
		env.Fatalf("waited %v in vain until %s; the exporter's log:\n%s", waitTimeout, what, env.exporter.Log())
	}
}

// becomesTrue reports whether a condition becomes true in time.
func (env *environment) becomesTrue(condition func() bool) bool {
	for end := time.Now().Add(waitTimeout); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if condition() {
			return true
		}
	}
	return false
}
