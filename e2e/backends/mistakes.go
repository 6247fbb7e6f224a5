package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// spinners is the number of busy processes per core.
const spinners = 2

// measureBusy runs a drill in each environment while busy processes use all cores.
func (e *evaluation) measureBusy() []measured {
	var runs []measured
	e.Section(func() {
		e.spin(spinners * runtime.NumCPU())
		for _, env := range e.environments {
			runs = append(runs, e.loadDrill("busy", env, e.busyMembers))
		}
	})
	return runs
}

// spin starts processes that use a core each. They end with this process.
func (e *evaluation) spin(n int) {
	self, err := os.Executable()
	if err != nil {
		e.Fatalf("finding this program: %v", err)
	}
	started := make(chan error)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		runtime.LockOSThread() // Pdeathsig is sent when the thread that started the processes ends.
		var all []*exec.Cmd
		for range n {
			cmd := exec.Command(self, "--spin")
			cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
			if err := cmd.Start(); err != nil {
				started <- err
				return
			}
			all = append(all, cmd)
		}
		started <- nil
		<-stop
		for _, cmd := range all {
			_ = cmd.Process.Kill() // The process may have ended already.
			_ = cmd.Wait()         // It returns that the process was killed.
		}
	}()
	if err := <-started; err != nil {
		e.Fatalf("starting a busy process: %v", err)
	}
	e.Cleanup(func() {
		close(stop)
		<-stopped
	})
}

func (e *evaluation) printMistakes(out io.Writer, loads [][]measured, busy []measured) {
	fmt.Fprintf(out, "### Mistakes under load\n\n")
	fmt.Fprintf(out, "These are the drills of the first table, after the baseline. In 10 s, a tenth of the members are killed, a twentieth lose "+
		"the network until their death is detected, and another twentieth lose it for a quarter of the timeout, which is not a death. *Busy* is the same drill with %d "+
		"additional processes that keep the %d cores busy. All members run in one process, which also gets too little CPU time: *timer lag* is how late its timers fired, "+
		"so not every mistake is caused by the backend.\n\n",
		spinners*runtime.NumCPU(), runtime.NumCPU())
	fmt.Fprintln(out, "| backend | members | live time | mistakes | T_MR | T_M, mean | P_A | deaths | T_D p99 | not detected | source unreadable | timer lag |")
	fmt.Fprintln(out, "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
	for i, ofEnv := range loads {
		for j := range ofEnv {
			printAccuracy(out, &ofEnv[j], "")
		}
		printAccuracy(out, &busy[i], ", busy")
	}
	fmt.Fprintln(out, "\n≥: without a mistake, the lower bound of T_MR with a confidence of 95 %.")
}

func printAccuracy(out io.Writer, r *measured, suffix string) {
	a := &r.Accuracy
	recurrence, duration := "≥ "+secondsText(a.AtLeast), "–"
	if a.Recurrence != nil {
		recurrence, duration = secondsText(*a.Recurrence), secondsText(a.Duration.Mean)
	}
	d := r.Detection["all"]
	fmt.Fprintf(out, "| %s | %d%s | %s | %d | %s | %s | %.6f | %d | %s | %d | %s | %s |\n", r.env.name, r.Members, suffix,
		secondsText(a.LiveSeconds), a.Mistakes, recurrence, duration, a.Query, d.Count, secondsText(d.P99), r.Undetected,
		secondsText(r.Outages.Seconds), secondsText(r.TimerLag))
}
