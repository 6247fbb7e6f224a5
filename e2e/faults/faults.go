package main

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"servicegroup_exporter/collector"
)

// shortly is less than a member may be silent.
const shortly = 2 * time.Second

// quick marks a fault that CI lets occur.
func quick(f fault) fault {
	f.quick = true
	return f
}

// What may happen to any server.

func killed() fault {
	return fault{
		name: "killed, and started 8 s later", broken: away,
		begin: func(l *lab) { l.backend.Kill() }, end: func(l *lab) { l.backend.Start() },
	}
}

func frozen() fault {
	return fault{
		name: "frozen for 8 s", broken: away,
		begin: func(l *lab) { l.backend.Freeze() }, end: func(l *lab) { l.backend.Thaw() },
	}
}

func restarted() fault {
	return fault{name: "restarted", begin: func(l *lab) { l.backend.Stop(); l.backend.Start() }}
}

// What may happen to the network between the exporter, or members, and a backend.

func exporterCutOff() fault {
	return fault{name: "exporter cut off for 8 s", broken: away, begin: filter(exporterSide, "drop", toBackend, fromBackend), end: (*lab).heal}
}

func requestsLost() fault {
	return fault{name: "exporter's requests get lost for 8 s", broken: away, begin: filter(exporterSide, "drop", toBackend), end: (*lab).heal}
}

func answersLost() fault {
	return fault{name: "answers to the exporter get lost for 8 s", broken: away, begin: filter(exporterSide, "drop", fromBackend), end: (*lab).heal}
}

func allCutOff() fault {
	f := exporterCutOff()
	f.name = "exporter and members cut off for 8 s"
	f.begin = func(l *lab) {
		l.cut(append(l.rules(exporterSide, "drop", toBackend, fromBackend), l.rules(memberSide, "drop", toBackend, fromBackend)...)...)
	}
	return f
}

func membersCutOffShortly() fault {
	return fault{name: "members cut off for 2 s", broken: shortly, begin: filter(memberSide, "drop", toBackend, fromBackend), end: (*lab).heal}
}

func membersCutOff() fault {
	return fault{
		name: "members cut off for 8 s", broken: away, silent: true,
		begin: filter(memberSide, "drop", toBackend, fromBackend), end: (*lab).heal,
	}
}

func packetsLost() fault {
	return fault{name: "of the exporter's packets 20 % get lost, of members' 5 %, for 8 s", broken: away, begin: lose(20, 5), end: (*lab).heal}
}

func network() []fault {
	return []fault{exporterCutOff(), requestsLost(), answersLost(), allCutOff(), membersCutOffShortly(), membersCutOff(), packetsLost()}
}

// slowNetwork are the faults of a lab with relays.
func slowNetwork() []fault {
	slow := func(exporter, members time.Duration) func(*lab) {
		return func(l *lab) { l.fromExporter.slow(exporter); l.fromMembers.slow(members) }
	}
	return []fault{
		{
			name: "everything 300 ms late each way, for 8 s", broken: away,
			begin: slow(300*time.Millisecond, 300*time.Millisecond), end: slow(0, 0),
		},
		{
			name: "the exporter's answers later than a scrape waits, for 8 s", broken: away,
			begin: slow(scrapeTimeout, 0), end: slow(0, 0),
		},
	}
}

// What may happen to the exporter.

func exporterKilled() fault {
	return fault{
		name: "exporter killed, and started 8 s later", broken: away, exporterAway: true,
		begin: func(l *lab) { l.exporter.Kill() }, end: func(l *lab) { l.exporter.Start() },
	}
}

func exporterFrozen() fault {
	return fault{
		name: "exporter frozen for 8 s: its session expires", broken: away, exporterAway: true,
		begin: func(l *lab) { l.exporter.Freeze() }, end: func(l *lab) { l.exporter.Thaw() },
	}
}

func exporterDiskFull() fault {
	return fault{
		name: "exporter's disk full, and exporter killed and started", exporterAway: true,
		begin: func(l *lab) { l.storage.fill(); l.exporter.Kill(); l.exporter.Start(); l.storage.free() },
	}
}

func memoryDamaged() fault {
	return fault{
		name: "exporter killed, its memory damaged, and started", exporterAway: true, unseen: true,
		begin: func(l *lab) { l.exporter.Kill(); l.damageMemory(); l.exporter.Start() },
	}
}

func backendAwayAtStart() fault {
	return fault{
		name: "exporter restarted while the backend is away for 8 s", exporterAway: true,
		begin: func(l *lab) {
			l.backend.Stop()
			l.exporter.Kill()
			l.exporter.Start()
			time.Sleep(away)
			l.backend.Start()
		},
	}
}

func exporterFaults() []fault {
	return []fault{exporterKilled(), exporterFrozen(), exporterDiskFull(), memoryDamaged(), backendAwayAtStart()}
}

// What may happen to a clock.

func serverClock(ahead time.Duration, name string) fault {
	return fault{
		name: name, broken: away,
		begin: func(l *lab) { setServerClock(l, ahead) }, end: func(l *lab) { setServerClock(l, 0) },
	}
}

// clockAhead names the fault that CI lets occur.
const clockAhead = "its clock steps an hour ahead, and 8 s later back"

func serverClocks() []fault {
	return []fault{
		serverClock(time.Hour, clockAhead),
		serverClock(-time.Hour, "its clock steps an hour back, and 8 s later ahead"),
	}
}

func exporterClocks() []fault {
	step := func(by time.Duration, name string) fault {
		return fault{
			name: name, broken: away,
			begin: func(l *lab) { l.clock.set(by) }, end: func(l *lab) { l.clock.set(0) },
		}
	}
	return []fault{
		step(time.Hour, "exporter's clock steps an hour ahead, and 8 s later back"),
		step(-time.Hour, "exporter's clock steps an hour back, and 8 s later ahead"),
	}
}

// What may happen to a member.

func memberFrozen() fault {
	return fault{name: "a member frozen for 2 s", broken: shortly, begin: freezeSpare, end: thawSpare, check: spareDied(0)}
}

func memberFrozenLong() fault {
	return fault{name: "a member frozen for 8 s: it dies, and returns", broken: away, begin: freezeSpare, end: thawSpare, check: spareDied(1)}
}

func freezeSpare(l *lab) {
	l.spare = &victim{lab: l, name: spareName}
	l.spare.start()
	l.eventually("the spare member is up", func() bool { return l.watch.last().allUp([]string{spareName}) })
	l.spare.signal(syscall.SIGSTOP)
}

func thawSpare(l *lab) { l.spare.signal(syscall.SIGCONT) }

// spareDied says whether the spare member died, and returned, so many times.
func spareDied(times int) func(*lab, *observation) error {
	return func(l *lab, seen *observation) error {
		l.soon(func() bool { return l.watch.last().allUp([]string{spareName}) })
		l.spare.kill() // It is dead from here on; the next fault finds it so.
		deaths := count(seen.events, spareName, collector.EventDeath)
		if deaths != times {
			return fmt.Errorf("the member died %d times, not %d", deaths, times)
		}
		return nil
	}
}

// stalled looks for the sign that [ServiceGroupHeartbeatsStalled] goes by before anybody is called dead: that the newest
// heartbeat is older than half of what members may be silent.
func stalled(_ *lab, seen *observation) error {
	for i := range seen.samples {
		s := &seen.samples[i]
		switch {
		case s.err != nil || !s.sourceUp:
		case s.at.Sub(s.newest) > downTime/2:
			return nil
		case !s.allUp(seen.well):
			return errors.New("members died before it could be seen that heartbeats had stalled")
		}
	}
	return errors.New("it could not be seen that heartbeats had stalled")
}
