package sidecar

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"servicegroup_exporter/drivers"
)

// A running is a state of a unit that is active.
func running(invocation string, pid int) State {
	return State{Load: "loaded", Active: "active", Sub: "running", Invocation: invocation, MainPID: pid, Result: "success"}
}

// with returns a changed copy of a state.
func (s State) with(change func(*State)) State {
	change(&s)
	return s
}

// stamped returns the time of an event some seconds ago.
func stamped(ago time.Duration) Stamp {
	now := time.Now()
	return Stamp{At: now.Add(-ago), Monotonic: time.Hour - ago}
}

// stopping is the state of a unit that systemd has asked to stop.
func stopping(invocation string, pid int) State {
	return running(invocation, pid).with(func(s *State) { s.Active, s.Sub, s.LeftActive = "deactivating", "stop-sigterm", stamped(0) })
}

// ended is the state of a unit whose main process has exited by itself, one second ago.
func ended(invocation, active, result string, code, status int32) State {
	return State{
		Load: "loaded", Active: active, Invocation: invocation, Result: result, ExitCode: code, ExitStatus: status,
		LeftActive: stamped(999 * time.Millisecond), MainExited: stamped(time.Second),
	}
}

var inactive = State{Load: "loaded", Active: "inactive", Sub: "dead", Result: "success"}

func TestJoinsWhileActive(t *testing.T) {
	run(t, inactive, func(w *world) {
		require.Empty(t, w.take())
		require.Equal(t, 1, w.logged("The unit is not active yet"))
		w.say(State{Load: "loaded", Active: "activating", Invocation: "a", MainPID: 7, Result: "success"})
		require.Empty(t, w.take(), "it starts, and is not active yet")
		w.say(running("a", 7))
		require.Equal(t, []string{"join"}, w.take())
		w.say(running("a", 7).with(func(s *State) { s.Active = "reloading" }), running("a", 7))
		require.Empty(t, w.take(), "a unit that reloads its configuration is active")
		w.say(stopping("a", 7))
		require.Equal(t, []string{"leave"}, w.take(), "it leaves at once, and not when the unit has stopped")
		w.say(inactive)
		require.Empty(t, w.take())
		require.Equal(t, 1, w.logged("The unit is not active yet"), "the line is logged once")
		require.Zero(t, w.logged("level=WARN"))
	})
}

// A unit that does not exist, is masked or can't be loaded is waited for.
func TestWaitsForUnit(t *testing.T) {
	for _, load := range []string{"not-found", "masked", "error", "bad-setting"} {
		run(t, State{Load: load, Active: "inactive"}, func(w *world) {
			time.Sleep(time.Hour)
			require.Empty(t, w.take())
			require.Equal(t, 1, w.logged("load_state="+load))
			w.say(running("a", 7))
			require.Equal(t, []string{"join"}, w.take())
		})
	}
}

// However a run ends by itself, the member dies, at the time at which the main process ended.
func TestDies(t *testing.T) {
	for name, test := range map[string]struct {
		state func() State
		cause string
		ago   time.Duration
	}{
		"killed":              {func() State { return ended("a", "failed", "signal", 2, 9) }, "Result=signal ExecMainCode=killed ExecMainStatus=9", time.Second},
		"exits with an error": {func() State { return ended("a", "failed", "exit-code", 1, 3) }, "Result=exit-code ExecMainCode=exited ExecMainStatus=3", time.Second},
		"dumps core":          {func() State { return ended("a", "failed", "core-dump", 3, 11) }, "Result=core-dump ExecMainCode=dumped ExecMainStatus=11", time.Second},
		"exits by itself":     {func() State { return ended("a", "inactive", "success", 1, 0) }, "Result=success ExecMainCode=exited ExecMainStatus=0", time.Second},
		"terminated by hand":  {func() State { return ended("a", "inactive", "success", 2, 15) }, "ExecMainCode=killed ExecMainStatus=15", time.Second},
		"is restarted":        {func() State { return ended("a", "activating", "signal", 2, 9) }, "ActiveState=activating Result=signal", time.Second},
		"processes remain":    {func() State { return ended("a", "deactivating", "signal", 2, 6) }, "ActiveState=deactivating Result=signal", time.Second},
		"watchdog, early": {func() State {
			return stopping("a", 7).with(func(s *State) { s.Result, s.Sub = "watchdog", "stop-watchdog" })
		}, "x.service: ActiveState=deactivating Result=watchdog", 0},
		"watchdog, late": {func() State {
			return ended("a", "failed", "watchdog", 2, 6).with(func(s *State) { s.LeftActive = stamped(3 * time.Second) })
		}, "Result=watchdog ExecMainCode=killed ExecMainStatus=6", time.Second},
		"out of memory": {func() State {
			return stopping("a", 7).with(func(s *State) { s.Result = "oom-kill" })
		}, "Result=oom-kill", 0},
		"RuntimeMaxSec":     {func() State { return stopping("a", 7).with(func(s *State) { s.Result = "timeout" }) }, "Result=timeout", 0},
		"fails, no process": {func() State { return State{Active: "failed", Invocation: "a", LeftActive: stamped(time.Second)} }, "ActiveState=failed", time.Second},
		"times in the future": {func() State {
			return ended("a", "failed", "signal", 2, 9).with(func(s *State) { s.MainExited.At = time.Now().Add(time.Hour) })
		}, "signal", 0},
		"no times": {func() State { return State{Active: "failed", Invocation: "a", Result: "resources"} }, "Result=resources", 0},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, running("a", 7), func(w *world) {
				time.Sleep(time.Minute)
				w.say(test.state())
				require.Equal(t, []string{"join", "die"}, w.take())
				death := w.lastDeath()
				require.Contains(t, death.Cause, test.cause)
				require.Equal(t, test.ago, time.Since(death.At))
				require.Equal(t, 1, w.logged("The unit died"))
				w.say(test.state(), ended("a", "failed", test.state().Result, 2, 9))
				require.Empty(t, w.take(), "it dies once")
			})
		})
	}
}

// When systemd was asked to stop the unit, the member leaves, in whatever way the main process then ends.
func TestLeaves(t *testing.T) {
	after := func(result string, code, status int32) func() State {
		return func() State { // The main process has exited after the unit ceased to be active.
			return ended("a", "inactive", result, code, status).with(func(s *State) { s.LeftActive = stamped(4 * time.Second) })
		}
	}
	for name, state := range map[string]func() State{
		"stops":                  func() State { return stopping("a", 7) },
		"has stopped":            after("success", 1, 0),
		"has stopped by SIGTERM": after("success", 2, 15),
		"exit status of Java":    after("exit-code", 1, 143),
		"killed in the end":      after("signal", 2, 9),
		"a target":               func() State { return State{Active: "inactive", Invocation: "a"} },
	} {
		t.Run(name, func(t *testing.T) {
			run(t, running("a", 7), func(w *world) {
				w.say(state())
				require.Equal(t, []string{"join", "leave"}, w.take())
				require.Zero(t, w.logged("The unit died"))
			})
		})
	}
	t.Run("and fails while it stops", func(t *testing.T) {
		run(t, running("a", 7), func(w *world) {
			w.say(stopping("a", 7), ended("a", "failed", "timeout", 2, 9))
			require.Equal(t, []string{"join", "leave"}, w.take())
			require.Equal(t, 1, w.logged("failed while it did"))
		})
	})
}

// A restart is the end of one membership and the beginning of another, also if the end was not seen.
func TestRestarts(t *testing.T) {
	restarted := running("b", 8).with(func(s *State) { s.Restarts = 1 })
	for name, test := range map[string]struct {
		states []State
		want   []string
	}{
		"after a death":        {[]State{ended("a", "activating", "signal", 2, 9), restarted}, []string{"join", "die", "join"}},
		"asked":                {[]State{stopping("a", 7), inactive, running("b", 8)}, []string{"join", "leave", "join"}},
		"after a death unseen": {[]State{restarted}, []string{"join", "die", "join"}},
		"asked, unseen":        {[]State{running("b", 8)}, []string{"join", "leave", "join"}},
		"unseen, starting": {
			[]State{restarted.with(func(s *State) { s.Active = "activating" }), restarted}, []string{"join", "die", "join"},
		},
		"crash loop": {[]State{
			ended("a", "activating", "exit-code", 1, 1), running("b", 8), ended("b", "activating", "exit-code", 1, 1),
			running("c", 9), ended("c", "failed", "exit-code", 1, 1),
		}, []string{"join", "die", "join", "die", "join", "die"}},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, running("a", 7), func(w *world) {
				w.say(test.states...)
				require.Equal(t, test.want, w.take())
			})
		})
	}
}

// While the bus is away or hangs, the main process decides.
func TestWithoutBus(t *testing.T) {
	away := map[string]func(w *world){
		"away":    func(w *world) { w.cut() },
		"hanging": func(w *world) { w.set(func() { w.busFrozen = true }) },
		"away, and then hanging": func(w *world) {
			w.cut()
			w.set(func() { w.busDown, w.busFrozen = false, true })
			time.Sleep(time.Minute)
		},
	}
	for name, lose := range away {
		t.Run(name, func(t *testing.T) {
			run(t, running("a", 7), func(w *world) {
				lose(w)
				time.Sleep(time.Hour)
				require.Equal(t, []string{"join"}, w.take(), "the main process lives")
				w.kill(7)
				at := time.Now()
				time.Sleep(askAfter + verdictWait + time.Millisecond)
				require.Equal(t, []string{"die"}, w.take())
				require.Equal(t, at, w.lastDeath().At)
				require.Contains(t, w.lastDeath().Cause, "its main process has ended")
			})
		})
	}
	t.Run("it is back with the reason in time", func(t *testing.T) {
		run(t, running("a", 7), func(w *world) {
			w.cut()
			w.heal(stopping("a", 7))
			w.kill(7)
			time.Sleep(time.Minute)
			require.Equal(t, []string{"join", "leave"}, w.take())
			require.Equal(t, 1, w.logged("Systemd answers about the unit again"))
		})
	})
	t.Run("it is back with another run", func(t *testing.T) {
		run(t, running("a", 7), func(w *world) {
			w.cut()
			w.kill(7)
			time.Sleep(time.Minute)
			w.heal(running("b", 8))
			time.Sleep(time.Minute)
			require.Equal(t, []string{"join", "die", "join"}, w.take())
		})
	})
	t.Run("it is back, and the process was another one", func(t *testing.T) {
		run(t, running("a", 7), func(w *world) {
			w.cut()
			w.kill(7)
			time.Sleep(time.Minute)
			w.heal(running("a", 8))
			time.Sleep(time.Minute)
			require.Equal(t, []string{"join", "die", "join"}, w.take())
		})
	})
	t.Run("it is not there at first", func(t *testing.T) {
		run(t, inactive, func(w *world) {
			w.cut()
			time.Sleep(time.Hour)
			w.heal(running("a", 7))
			time.Sleep(longestPause + time.Second)
			require.Equal(t, []string{"join"}, w.take())
			require.Equal(t, 2, w.logged("Can't ask systemd"), "the connection was lost, and can't be made again")
		})
	})
}

// While systemd answers, it decides, whatever becomes of a process.
func TestSystemdDecides(t *testing.T) {
	t.Run("another main process", func(t *testing.T) {
		run(t, running("a", 7), func(w *world) {
			w.say(running("a", 8))
			w.kill(7)
			time.Sleep(time.Minute)
			require.Equal(t, []string{"join"}, w.take())
			w.cut()
			w.kill(8)
			time.Sleep(time.Minute)
			require.Equal(t, []string{"die"}, w.take())
		})
	})
	t.Run("no main process any more", func(t *testing.T) {
		run(t, running("a", 7), func(w *world) {
			w.kill(7)
			w.say(running("a", 0))
			time.Sleep(time.Minute)
			require.Equal(t, []string{"join"}, w.take(), "as with RemainAfterExit")
		})
	})
	t.Run("the process is in another container", func(t *testing.T) {
		run(t, running("a", 7), func(w *world) {
			w.kill(7) // It was another process with this id.
			time.Sleep(time.Hour)
			require.Equal(t, []string{"join"}, w.take())
		})
	})
	for _, err := range []error{unix.ESRCH, unix.EPERM, unix.ENOSYS, unix.EMFILE} {
		t.Run("the process can't be watched: "+err.Error(), func(t *testing.T) {
			run(t, inactive, func(w *world) {
				w.set(func() { w.watchErr = err })
				w.say(running("a", 7))
				time.Sleep(time.Hour)
				require.Equal(t, []string{"join"}, w.take())
				w.say(ended("a", "failed", "signal", 2, 9))
				require.Equal(t, []string{"die"}, w.take())
			})
		})
	}
}

// A backend that is away is tried again; an error that can't end ends the program.
func TestJoinFails(t *testing.T) {
	for _, err := range []error{drivers.Unavailable(drivers.ReasonConnect, errors.New("refused")), drivers.ErrNameTaken} {
		run(t, inactive, func(w *world) {
			w.set(func() { w.joinErr = err })
			w.say(running("a", 7))
			time.Sleep(time.Hour)
			require.Empty(t, w.take())
			require.Equal(t, 1, w.logged("Can't join the group yet"))
			w.say(stopping("a", 7))
			w.set(func() { w.joinErr = nil })
			time.Sleep(time.Hour)
			require.Empty(t, w.take(), "the unit is not active any more")
			w.set(func() { w.joinErr = err })
			w.say(running("b", 8))
			w.set(func() { w.joinErr = nil })
			time.Sleep(longestJoinPause)
			require.Equal(t, []string{"join"}, w.take())
		})
	}
	run(t, inactive, func(w *world) {
		w.set(func() { w.joinErr = errors.New("the layout is read only") })
		w.say(running("a", 7))
		<-w.done
		require.ErrorIs(t, w.err, w.joinErr)
	})
}

// A member that another client removed stays removed until the next start of the unit.
func TestRemovedByOther(t *testing.T) {
	run(t, running("a", 7), func(w *world) {
		close(w.member.done)
		time.Sleep(time.Hour)
		require.Equal(t, []string{"join"}, w.take())
		require.Equal(t, 1, w.logged("Another client ended the membership"))
		w.say(stopping("a", 7), running("b", 8))
		require.Equal(t, []string{"abandon", "join"}, w.take())
	})
}

// When the program is asked to stop, the member leaves: it did not die.
func TestStop(t *testing.T) {
	run(t, running("a", 7), func(w *world) {
		w.stop()
		<-w.done
		require.NoError(t, w.err)
		require.Equal(t, []string{"join", "leave"}, w.take())
	})
	run(t, inactive, func(w *world) {
		w.stop()
		<-w.done
		require.NoError(t, w.err)
		require.Empty(t, w.take())
	})
	run(t, running("a", 7), func(w *world) {
		w.cut()
		w.kill(7)
		w.stop()
		synctest.Wait()
		<-w.done
		require.Equal(t, []string{"join", "leave"}, w.take())
	})
}
