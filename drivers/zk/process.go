package zk

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// A process identifies a process in a record, so that another process can tell later whether the first one still runs.
// Fields that the operating system does not tell are empty.
type process struct {
	Host string `json:"host"`
	PID  int    `json:"pid"`
	// Start is when the process started, in clock ticks since the boot. It tells processes with the same id apart.
	Start uint64 `json:"start,omitempty"`
	// Boot identifies the machine and its boot, and Namespace the process table that has the id.
	Boot      string `json:"boot,omitempty"`
	Namespace string `json:"pid_namespace,omitempty"`
}

// thisProcess returns the running process.
func thisProcess() process {
	p := process{PID: os.Getpid()}
	p.Host, _ = os.Hostname() // An unknown name stays empty, since it is only shown.
	if boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err == nil {
		p.Boot = strings.TrimSpace(string(boot))
	}
	if ns, err := os.Readlink("/proc/self/ns/pid"); err == nil {
		p.Namespace = ns
	}
	p.Start, _ = startOf(p.PID) // If it stays zero, other processes can't tell whether this one runs.
	return p
}

// A processState says whether a process runs.
type processState int

const (
	processUnknown processState = iota // on another machine, in another container, or with empty fields
	processRuns
	processEnded
)

// stateOf returns whether another process still runs, as far as the process p can tell.
func (p process) stateOf(other process) processState {
	if other.Boot == "" || other.Namespace == "" || other.Start == 0 || other.PID <= 0 ||
		other.Boot != p.Boot || other.Namespace != p.Namespace {
		return processUnknown
	}
	start, runs := startOf(other.PID)
	switch {
	case runs && start == other.Start:
		return processRuns
	case start == 0 && exists(other.PID):
		return processUnknown // /proc may be mounted so that it hides the processes of other users.
	default:
		return processEnded
	}
}

// startOf returns when a process of this machine started, from the 22nd field of its stat file (proc(5)), and whether it
// runs. The start is zero if the file can't be read. A zombie does not run: it only waits until its parent reads its exit
// status.
func startOf(pid int) (start uint64, runs bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, false
	}
	// The second field is the command in parentheses, and may have any characters, also parentheses and spaces.
	text := string(stat)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 20 {
		return 0, false
	}
	start, err = strconv.ParseUint(fields[19], 10, 64)
	return start, err == nil && fields[0] != "Z" && fields[0] != "X"
}

// exists reports whether there is a process with the id, of any user.
func exists(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	return !errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone)
}

// String returns a description for error messages.
func (p process) String() string {
	if p.Host == "" {
		return fmt.Sprintf("process %d", p.PID)
	}
	return fmt.Sprintf("process %d on %s", p.PID, p.Host)
}
