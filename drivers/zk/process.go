package zk

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// A process is an identity that survives in a record, so that a later process can tell whether the one that wrote it
// still lives. Fields that the operating system does not give are empty.
type process struct {
	Host string `json:"host"`
	PID  int    `json:"pid"`
	// Start is when the process began, in clock ticks since the boot: process ids are used again.
	Start uint64 `json:"start,omitempty"`
	// Boot and Namespace say which machine, since which boot, and which of its process tables the id belongs to.
	Boot      string `json:"boot,omitempty"`
	Namespace string `json:"pid_namespace,omitempty"`
}

// thisProcess describes the running process.
func thisProcess() process {
	p := process{PID: os.Getpid()}
	p.Host, _ = os.Hostname() // An unknown name is left empty: it is only shown.
	if boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err == nil {
		p.Boot = strings.TrimSpace(string(boot))
	}
	if ns, err := os.Readlink("/proc/self/ns/pid"); err == nil {
		p.Namespace = ns
	}
	p.Start, _ = startOf(p.PID) // Zero: nobody can tell whether this process lives.
	return p
}

// A fate is what can be said of a process.
type fate int

const (
	unknown fate = iota // it runs elsewhere, in another container, or said too little
	alive
	gone
)

// fateOf says whether another process still lives, seen from the process p.
func (p process) fateOf(other process) fate {
	if other.Boot == "" || other.Namespace == "" || other.Start == 0 || other.PID <= 0 ||
		other.Boot != p.Boot || other.Namespace != p.Namespace {
		return unknown
	}
	start, living := startOf(other.PID)
	switch {
	case living && start == other.Start:
		return alive
	case start == 0 && exists(other.PID):
		return unknown // /proc may be mounted so that other users' processes can't be seen.
	default:
		return gone
	}
}

// startOf reads when a process of this machine began, from the 22nd field of its stat file (proc(5)), zero where it
// can't be read. A zombie does not live: it only waits for its parent to read its exit status.
func startOf(pid int) (start uint64, living bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, false
	}
	// The second field is the command in parentheses and may contain anything, parentheses and spaces included.
	text := string(stat)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 20 {
		return 0, false
	}
	start, err = strconv.ParseUint(fields[19], 10, 64)
	return start, err == nil && fields[0] != "Z" && fields[0] != "X"
}

// exists says whether there is a process of that id, whoever owns it.
func exists(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	return !errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone)
}

// String names the process for people.
func (p process) String() string {
	if p.Host == "" {
		return fmt.Sprintf("process %d", p.PID)
	}
	return fmt.Sprintf("process %d on %s", p.PID, p.Host)
}
