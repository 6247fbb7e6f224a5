package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"servicegroup_exporter/drivers"
)

func (a *cli) joinCommand() command {
	c := a.kingpin.Command("join", "Is a member of a group until stopped, or for as long as a command lives.")
	var req drivers.JoinRequest
	c.Flag("binary", "What the member runs, where the backend keeps that; default: the driver's.").StringVar(&req.Binary)
	flags := addSourceFlags(c)
	c.Arg("group", "The group.").Required().StringVar(&req.Group)
	c.Arg("member", "The member.").Required().StringVar(&req.Name)
	argv := c.Arg("cmd", "Command, after --, that the member lives as long as. It gets this program's signals.").Strings()
	return func() error { return a.join(req, *argv, flags) }
}

func (a *cli) join(req drivers.JoinRequest, argv []string, flags *sourceFlags) error {
	driver, joiner, err := a.joiner(context.Background(), flags)
	if err != nil {
		return err
	}
	defer driver.Close()
	m := &joined{cli: a, timeout: flags.timeout}
	if err := m.join(joiner, req); err != nil {
		return err
	}
	defer m.membership.Abandon() // Nothing may go on if something below fails.
	if len(argv) == 0 {
		return m.stay()
	}
	return m.accompany(argv)
}

// joined is a member for as long as this process says so.
type joined struct {
	*cli
	membership drivers.Membership
	timeout    time.Duration // for joining, leaving and dying
}

// join joins, unless the process is asked to stop meanwhile.
func (m *joined) join(joiner drivers.Joiner, req drivers.JoinRequest) error {
	ctx, cancel := context.WithTimeout(context.Background(), m.timeout)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		var err error
		m.membership, err = joiner.Join(ctx, req)
		done <- err
	}()
	for {
		select {
		case err := <-done:
			return err
		case sig := <-m.Signals:
			if !stops(sig) {
				continue
			}
			cancel()
			if err := <-done; err != nil {
				return err
			}
			return errors.Join(fmt.Errorf("stopped by signal: %v", sig), m.leave())
		}
	}
}

// stops says whether a signal asks the process to end.
func stops(sig os.Signal) bool { return sig == os.Interrupt || sig == syscall.SIGTERM }

// stay is a member until the process is asked to stop, which is a leave: somebody wants it to be gone.
func (m *joined) stay() error {
	for {
		select {
		case sig := <-m.Signals:
			if stops(sig) {
				return m.leave()
			}
		case <-m.membership.Done():
			return m.membership.Err()
		}
	}
}

// leave removes the member on purpose.
func (m *joined) leave() error {
	ctx, cancel := context.WithTimeout(context.Background(), m.timeout)
	defer cancel()
	if err := m.membership.Leave(ctx); err != nil {
		return fmt.Errorf("leaving: %w", err)
	}
	return nil
}

// die says that the member has died, and when.
func (m *joined) die(at time.Time) error {
	ctx, cancel := context.WithTimeout(context.Background(), m.timeout)
	defer cancel()
	if err := m.membership.Die(ctx, at); err != nil {
		return fmt.Errorf("recording a death: %w", err)
	}
	return nil
}

// accompany is a member for as long as a command lives. The command has this process's input, output and signals, and
// its exit code becomes this process's. A command that ends by itself has died; one that ends after it was asked to
// stop has left.
func (m *joined) accompany(argv []string) error {
	passSignals(m.Signals)
	// The command ends by itself or by a signal that is passed on, never by a context.
	cmd := exec.CommandContext(context.Background(), argv[0], argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = m.Stdin, m.Stdout, m.Stderr
	if err := cmd.Start(); err != nil {
		return &exitError{startFailure(err), errors.Join(fmt.Errorf("starting the command: %w", err), m.leave())}
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()

	asked := false
	removed := m.membership.Done()
	for {
		select {
		case sig := <-m.Signals:
			asked = asked || stops(sig)
			m.pass(sig, cmd.Process)
		case <-removed:
			removed = nil // Once is enough. The command goes on: whoever removed the member did not stop it.
			m.logger.Error("The command lives on, but is no member any more", "err", m.membership.Err())
		case err := <-ended:
			return m.parted(err, asked)
		}
	}
}

// parted ends the membership of a command that has ended, and gives its exit code.
func (m *joined) parted(ended error, asked bool) error {
	at := time.Now()
	var err error
	if asked {
		err = m.leave()
	} else {
		err = m.die(at)
	}
	if code := exitCode(ended); code != 0 {
		return &exitError{code, err}
	}
	return err
}

// pass hands a signal to the command, unless the terminal did so already.
func (m *joined) pass(sig os.Signal, to *os.Process) {
	if sig == syscall.SIGURG || sig == syscall.SIGCHLD {
		return // They are about this process.
	}
	if fromTerminal(m.Stdin, sig) {
		return
	}
	if err := to.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		m.logger.Warn("Passing a signal to the command failed", "signal", sig.String(), "err", err)
	}
}

// startFailure is the exit code of shells for a command that did not start: 127 not found, 126 can't be run.
func startFailure(err error) int {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
		return 127
	}
	return 126
}

// exitCode is the exit code of shells for a command that has ended: its own, or 128 and the signal that killed it.
func exitCode(err error) int {
	if err == nil {
		return 0
	}
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return exitFailure
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return exit.ExitCode()
}
