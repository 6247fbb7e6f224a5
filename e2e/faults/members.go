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

// spareName names a member that lives only for faults that are about a single one.
const spareName = "spare"

// wellName names a member that lives all the time.
func wellName(i int) string { return fmt.Sprintf("well-%02d", i+1) }

// well names all of them.
func (l *lab) well() []string {
	names := make([]string, l.wellMembers)
	for i := range names {
		names[i] = wellName(i)
	}
	return names
}

// fill lets members live that nobody kills, each with its own connections, as processes would have.
func (l *lab) fill() {
	cfg, err := sources.Load(l.config("member"))
	if err != nil {
		l.Fatalf("%v", err)
	}
	log, err := os.Create(l.memberLog())
	if err != nil {
		l.Fatalf("making a log: %v", err)
	}
	l.Cleanup(func() { log.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	source := sources.New(cfg, nil, slog.New(slog.DiscardHandler)).Sources()[0]
	for _, name := range l.well() {
		driver, err := source.Open(slog.New(slog.NewTextHandler(log, nil)).With("member", name))
		if err != nil {
			l.Fatalf("opening the backend: %v", err)
		}
		l.Cleanup(func() { driver.Close() })
		if _, err := driver.(drivers.Joiner).Join(ctx, drivers.JoinRequest{Group: groupName, Name: name}); err != nil {
			l.Fatalf("joining: %v", err)
		}
	}
}

// memberLog is where members say what goes wrong.
func (l *lab) memberLog() string { return filepath.Join(l.dir, "members.log") }

// explain logs what the exporter and the members had to say, for whoever has to find out why something failed.
func (l *lab) explain() {
	text, err := os.ReadFile(l.memberLog())
	if err != nil {
		l.Logf("reading the members' log: %v", err)
	}
	l.Logf("the exporter's log:\n%s\nthe members' log:\n%s", l.exporter.Log(), text[max(0, len(text)-maxLog):])
}

// maxLog is how much of a log is worth reading.
const maxLog = 16 << 10

// bury makes members that have died before anything breaks, and that stay dead.
func (l *lab) bury(names ...string) {
	l.dead = names
	var alive []*victim
	for _, name := range names {
		v := &victim{lab: l, name: name}
		v.start()
		alive = append(alive, v)
	}
	l.eventually("everybody is up", func() bool { return l.watch.last().allUp(append(l.well(), names...)) })
	for _, v := range alive {
		v.kill()
	}
	l.eventually("the dead are known", l.settled)
}

// settled says whether the exporter says of all the living that they live, and of all the dead that they are dead.
func (l *lab) settled() bool {
	s := l.watch.last()
	return s.allUp(l.well()) && s.allDown(l.dead)
}

// A victim is a member that lives as a process of its own.
type victim struct {
	lab  *lab
	name string
	cmd  *exec.Cmd
}

// start starts the process.
func (v *victim) start() {
	v.cmd = exec.Command(v.lab.program, "--config.file="+v.lab.config("member"), "join", groupName, v.name)
	v.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := v.cmd.Start(); err != nil {
		v.lab.Fatalf("starting a member: %v", err)
	}
	v.lab.Cleanup(v.kill)
}

// kill kills the process as kill -9 does.
func (v *victim) kill() {
	if v.cmd == nil {
		return
	}
	if err := v.cmd.Process.Kill(); err != nil {
		v.lab.Logf("killing a member: %v", err)
	}
	_ = v.cmd.Wait() // It was killed.
	v.cmd = nil
}

// signal sends a signal to the process.
func (v *victim) signal(s syscall.Signal) {
	if err := v.cmd.Process.Signal(s); err != nil {
		v.lab.Fatalf("sending %v to a member: %v", s, err)
	}
}

// eventually waits for a condition.
func (l *lab) eventually(what string, condition func() bool) {
	if !l.soon(condition) {
		l.Fatalf("not so within %v: %s; the exporter's log:\n%s", patience, what, l.exporter.Log())
	}
}

// soon says whether a condition comes true within our patience.
func (l *lab) soon(condition func() bool) bool {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if condition() {
			return true
		}
	}
	return false
}
