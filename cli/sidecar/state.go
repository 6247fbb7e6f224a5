package sidecar

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// A State is what systemd reports about a unit at one instant. systemd(1) and org.freedesktop.systemd1(5) describe the properties.
type State struct {
	Load       string // LoadState: loaded, not-found, masked, …
	Active     string // ActiveState: active, reloading, inactive, failed, activating, deactivating, …
	Sub        string // SubState
	Invocation string // InvocationID: it is new for each start
	MainPID    int    // the id of the main process, 0 if there is none
	Restarts   uint32 // NRestarts: how often systemd has restarted the unit by itself

	Result     string // success, exit-code, signal, core-dump, watchdog, timeout, oom-kill, …; empty if the unit is no service
	ExitCode   int32  // ExecMainCode: how the main process ended, one of the constants CLD_… of waitid(2)
	ExitStatus int32  // ExecMainStatus: its exit status, or the number of the signal

	LeftActive Stamp // when the unit was last active
	MainExited Stamp // when the main process exited
}

// A Stamp is the time of an event by two clocks, zero if it has not happened.
type Stamp struct {
	At        time.Time
	Monotonic time.Duration // since the boot
}

// up reports whether the unit is active. A unit that reloads its configuration is.
func (s *State) up() bool {
	return slices.Contains([]string{"active", "reloading", "refreshing"}, s.Active)
}

// An End is how a run of the unit ended.
type End struct {
	// Died reports whether the unit failed, was killed, or exited by itself. Otherwise systemd was asked to stop it.
	Died bool
	At   time.Time // by this machine's clock
	// Cause is a text for people, with the properties Result, ExecMainCode and ExecMainStatus.
	Cause string
}

// end returns how the run that the state describes has ended, for a unit that is no longer active.
func (s *State) end(unit string, now time.Time) End {
	return End{Died: !s.asked(), At: s.endedAt(now), Cause: fmt.Sprintf("%s: ActiveState=%s %s", unit, s.Active, s.result())}
}

// result returns the properties that say how the unit ended.
func (s *State) result() string {
	if s.MainExited == (Stamp{}) {
		return "Result=" + s.Result
	}
	return fmt.Sprintf("Result=%s ExecMainCode=%s ExecMainStatus=%d", s.Result, exitCodeName(s.ExitCode), s.ExitStatus)
}

// asked reports whether systemd was asked to stop the unit. It was if the unit ceased to be active before its main process
// ended: without a request, systemd learns of the end of the process first. The results watchdog, timeout, oom-kill and their
// like are systemd's own reasons to stop a unit.
func (s *State) asked() bool {
	switch s.Result {
	case "success", "":
	case "exit-code", "signal", "core-dump": // The main process may have ended in this way because it was asked to.
		return s.MainExited.Monotonic > s.LeftActive.Monotonic
	default:
		return false
	}
	if s.MainExited == (Stamp{}) {
		return s.Active != "failed"
	}
	return s.MainExited.Monotonic > s.LeftActive.Monotonic
}

// endedAt returns when the run ended: when the main process exited, or else when the unit ceased to be active. It is never
// later than now.
func (s *State) endedAt(now time.Time) time.Time {
	at := s.MainExited.At
	if at.IsZero() {
		at = s.LeftActive.At
	}
	if at.IsZero() || at.After(now) {
		return now
	}
	return at
}

// exitCodeName returns the name that systemctl prints for a constant CLD_… of waitid(2).
func exitCodeName(code int32) string {
	switch code {
	case 1:
		return "exited"
	case 2:
		return "killed"
	case 3:
		return "dumped"
	default:
		return strconv.Itoa(int(code))
	}
}
