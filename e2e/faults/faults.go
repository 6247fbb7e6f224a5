package main

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"servicegroup_exporter/collector"
)

// shortFault is a duration below the heartbeat timeout.
const shortFault = 2 * time.Second

// Regular expressions for lines of check about a source that can't be read.
const (
	unreachable = `failure read: can't be read \((connect|timeout|session)\)`
	unanswered  = `failure read: can't be read \((timeout|session)\)`
)

// quick marks a fault that runs in CI.
func quick(f fault) fault {
	f.quick = true
	return f
}

// Faults of any server:

func killed() fault {
	return fault{
		name: "killed, started 8 s later", duration: faultDuration, says: unreachable,
		begin: func(env *environment) { env.backend.Kill() }, end: func(env *environment) { env.backend.Start() },
	}
}

func frozen() fault {
	return fault{
		name: "frozen for 8 s", duration: faultDuration, says: unanswered,
		begin: func(env *environment) { env.backend.Freeze() }, end: func(env *environment) { env.backend.Thaw() },
	}
}

func restarted() fault {
	return fault{name: "restarted", begin: func(env *environment) { env.backend.Stop(); env.backend.Start() }}
}

// Faults of the network between the exporter, or members, and a backend:

func exporterCutOff() fault {
	return fault{name: "exporter cut off for 8 s", duration: faultDuration, says: unreachable, begin: filter(exporterSide, "drop", toBackend, fromBackend), end: (*environment).removeRules}
}

func requestsLost() fault {
	return fault{name: "packets from the exporter lost for 8 s", duration: faultDuration, says: unreachable, begin: filter(exporterSide, "drop", toBackend), end: (*environment).removeRules}
}

func answersLost() fault {
	return fault{name: "packets to the exporter lost for 8 s", duration: faultDuration, says: unreachable, begin: filter(exporterSide, "drop", fromBackend), end: (*environment).removeRules}
}

func allCutOff() fault {
	f := exporterCutOff()
	f.name = "exporter and members cut off for 8 s"
	f.begin = func(env *environment) {
		env.addRules(append(env.rules(exporterSide, "drop", toBackend, fromBackend), env.rules(memberSide, "drop", toBackend, fromBackend)...)...)
	}
	return f
}

func membersCutOffBriefly() fault {
	return fault{name: "members cut off for 2 s", duration: shortFault, begin: filter(memberSide, "drop", toBackend, fromBackend), end: (*environment).removeRules}
}

func membersCutOff() fault {
	return fault{
		name: "members cut off for 8 s", duration: faultDuration, silent: true,
		begin: filter(memberSide, "drop", toBackend, fromBackend), end: (*environment).removeRules,
	}
}

func packetsLost() fault {
	return fault{name: "20 % of the exporter's packets and 5 % of the members' lost for 8 s", duration: faultDuration, begin: lose(20, 5), end: (*environment).removeRules}
}

func network() []fault {
	return []fault{exporterCutOff(), requestsLost(), answersLost(), allCutOff(), membersCutOffBriefly(), membersCutOff(), packetsLost()}
}

// slowNetwork returns the faults of an environment with TCP proxies.
func slowNetwork() []fault {
	slow := func(exporter, members time.Duration) func(*environment) {
		return func(env *environment) { env.exporterProxy.setDelay(exporter); env.memberProxy.setDelay(members) }
	}
	return []fault{
		{
			name: "300 ms delay each way for 8 s", duration: faultDuration,
			begin: slow(300*time.Millisecond, 300*time.Millisecond), end: slow(0, 0),
		},
		{
			name: "responses to the exporter delayed by more than the scrape timeout for 8 s", duration: faultDuration,
			begin: slow(scrapeTimeout, 0), end: slow(0, 0),
		},
	}
}

// Faults of the exporter:

func exporterKilled() fault {
	return fault{
		name: "exporter killed, started 8 s later", duration: faultDuration, exporterDown: true,
		begin: func(env *environment) { env.exporter.Kill() }, end: func(env *environment) { env.exporter.Start() },
	}
}

func exporterFrozen() fault {
	return fault{
		name: "exporter frozen for 8 s, its session expires", duration: faultDuration, exporterDown: true,
		begin: func(env *environment) { env.exporter.Freeze() }, end: func(env *environment) { env.exporter.Thaw() },
	}
}

func exporterDiskFull() fault {
	return fault{
		name: "exporter's disk full, exporter killed and started", exporterDown: true,
		begin: func(env *environment) {
			env.storage.fill()
			env.exporter.Kill()
			env.exporter.Start()
			env.storage.free()
		},
	}
}

func exporterDiskReadOnly() fault {
	return fault{
		name: "exporter killed, its disk read-only, started; writable 8 s later", duration: faultDuration, exporterDown: true,
		says: `program failure state: state can't be saved in .*: read-only file system`,
		begin: func(env *environment) {
			env.exporter.Kill()
			env.storage.remount(syscall.MS_RDONLY)
			env.exporter.Start()
		},
		end: func(env *environment) { env.storage.remount(0) },
	}
}

func stateFileDamaged() fault {
	return fault{
		name: "exporter killed, its state file damaged, started", exporterDown: true, unknowable: true,
		begin: func(env *environment) { env.exporter.Kill(); env.damageStateFile(); env.exporter.Start() },
	}
}

func backendDownAtStart() fault {
	return fault{
		name: "exporter restarted while the backend is down for 8 s", exporterDown: true,
		begin: func(env *environment) {
			env.backend.Stop()
			env.exporter.Kill()
			env.exporter.Start()
			time.Sleep(faultDuration)
			env.backend.Start()
		},
	}
}

func exporterFaults() []fault {
	return []fault{exporterKilled(), exporterFrozen(), exporterDiskFull(), exporterDiskReadOnly(), stateFileDamaged(), backendDownAtStart()}
}

// Faults of a clock:

func serverClock(ahead time.Duration, name string) fault {
	return fault{
		name: name, duration: faultDuration,
		begin: func(env *environment) { setServerClock(env, ahead) }, end: func(env *environment) { setServerClock(env, 0) },
	}
}

// clockAhead is the name of the fault that runs in CI.
const clockAhead = "server clock steps an hour ahead, and back 8 s later"

func serverClocks() []fault {
	return []fault{
		serverClock(time.Hour, clockAhead),
		serverClock(-time.Hour, "server clock steps an hour back, and ahead 8 s later"),
	}
}

func exporterClocks() []fault {
	step := func(by time.Duration, name string) fault {
		return fault{
			name: name, duration: faultDuration,
			begin: func(env *environment) { env.clock.set(by) }, end: func(env *environment) { env.clock.set(0) },
		}
	}
	return []fault{
		step(time.Hour, "exporter clock steps an hour ahead, and back 8 s later"),
		step(-time.Hour, "exporter clock steps an hour back, and ahead 8 s later"),
	}
}

// Faults of a member:

func memberFrozen() fault {
	return fault{name: "a member frozen for 2 s", duration: shortFault, begin: freezeExtra, end: thawExtra, check: extraDied(0)}
}

func memberFrozenLong() fault {
	return fault{name: "a member frozen for 8 s, which dies and returns", duration: faultDuration, begin: freezeExtra, end: thawExtra, check: extraDied(1)}
}

func freezeExtra(env *environment) {
	env.extra = &victim{env: env, name: extraName}
	env.extra.start()
	env.eventually("the extra member is up", func() bool { return env.watch.last().allUp([]string{extraName}) })
	env.extra.signal(syscall.SIGSTOP)
}

func thawExtra(env *environment) { env.extra.signal(syscall.SIGCONT) }

// extraDied returns a check that the extra member died, and returned, this many times.
func extraDied(times int) func(*environment, *observation) error {
	return func(env *environment, seen *observation) error {
		env.becomesTrue(func() bool { return env.watch.last().allUp([]string{extraName}) })
		env.extra.kill() // It stays dead during the next faults.
		deaths := count(seen.events, extraName, collector.EventDeath)
		if deaths != times {
			return fmt.Errorf("the member died %d times, not %d", deaths, times)
		}
		return nil
	}
}

// stalled checks that the condition of the alert ServiceGroupHeartbeatsStalled is visible before members are reported dead: the
// newest heartbeat is older than half of the heartbeat timeout.
func stalled(_ *environment, seen *observation) error {
	for i := range seen.samples {
		s := &seen.samples[i]
		switch {
		case s.err != nil || !s.sourceUp:
		case s.at.Sub(s.newest) > heartbeatTimeout/2:
			return nil
		case !s.allUp(seen.live):
			return errors.New("members were reported dead before stalled heartbeats were visible")
		}
	}
	return errors.New("stalled heartbeats were never visible")
}
