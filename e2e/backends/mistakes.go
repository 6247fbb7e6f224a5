package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// spinners is how many processes there are for each core that do nothing but use it.
const spinners = 2

// measureBusy repeats a drill of each lab while other processes want more than all cores.
func (e *evaluation) measureBusy() []measured {
	var runs []measured
	e.Section(func() {
		e.spin(spinners * runtime.NumCPU())
		for _, l := range e.labs {
			runs = append(runs, e.loadDrill("busy", l, e.busy))
		}
	})
	return runs
}

// spin starts processes that use a core each, which end with this one.
func (e *evaluation) spin(n int) {
	self, err := os.Executable()
	if err != nil {
		e.Fatalf("finding this program: %v", err)
	}
	started := make(chan error)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		runtime.LockOSThread() // Linux kills them when the thread that started them ends.
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
			_ = cmd.Process.Kill() // It may have ended.
			_ = cmd.Wait()         // It was killed.
		}
	}()
	if err := <-started; err != nil {
		e.Fatalf("starting a process that keeps a core busy: %v", err)
	}
	e.Cleanup(func() {
		close(stop)
		<-stopped
	})
}

func (e *evaluation) printMistakes(out io.Writer, loads [][]measured, busy []measured) {
	fmt.Fprintf(out, "### Mistakes under load\n\n")
	fmt.Fprintf(out, "The drills of the first table, after the time of rest: in 10 s a tenth of the members is killed, a twentieth loses the network "+
		"until it was seen dead, and another twentieth for a quarter of the timeout, which is no death. *Busy*: the same with %d more processes that do nothing but use the %d cores. "+
		"All members live in one process there, which is starved too: *late* is by how much its timers were, so that not every mistake is the backend's.\n\n",
		spinners*runtime.NumCPU(), runtime.NumCPU())
	fmt.Fprintln(out, "| backend | members | lives | mistakes | T_MR | T_M, mean | P_A | deaths | T_D p99 | not noticed | source unreadable | late |")
	fmt.Fprintln(out, "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
	for i, lab := range loads {
		for j := range lab {
			printAccuracy(out, &lab[j], "")
		}
		printAccuracy(out, &busy[i], ", busy")
	}
	fmt.Fprintln(out, "\n≥: no mistake was seen; the least that T_MR can be with a confidence of 95 %.")
}

func printAccuracy(out io.Writer, r *measured, how string) {
	a := &r.Accuracy
	recurrence, duration := "≥ "+secondsText(a.AtLeast), "–"
	if a.Recurrence != nil {
		recurrence, duration = secondsText(*a.Recurrence), secondsText(a.Duration.Mean)
	}
	d := r.Detection["all"]
	fmt.Fprintf(out, "| %s | %d%s | %s | %d | %s | %s | %.6f | %d | %s | %d | %s | %s |\n", r.lab.name, r.Members, how,
		secondsText(a.LiveSeconds), a.Mistakes, recurrence, duration, a.Query, d.Count, secondsText(d.P99), r.Undetected,
		secondsText(r.Outages.Seconds), secondsText(r.TimerLag))
}
