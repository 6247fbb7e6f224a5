package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"syscall"
	"time"

	"servicegroup_exporter/drivers"
)

func (a *cli) joinCommand() command {
	c := a.kingpin.Command("join", "Join a group and stay a member until stopped, until a command exits, or while a systemd unit is active.")
	var req drivers.JoinRequest
	c.Flag("binary", "Binary to record for the member, if the backend stores it. The default depends on the driver.").StringVar(&req.Binary)
	unit := c.Flag("unit", "systemd unit to follow. The member joins when the unit is active, leaves when systemd is asked to stop the unit, and "+
		"dies when the unit fails or exits by itself.").PlaceHolder("NAME").String()
	flags := addSourceFlags(c)
	c.Arg("group", "Name of the group.").Required().StringVar(&req.Group)
	c.Arg("member", "Name of the member.").Required().StringVar(&req.Name)
	argv := c.Arg("cmd", "Command to run. The membership ends when it exits. Signals are forwarded to it.").Strings()
	return func() error {
		if *unit == "" {
			return a.join(req, *argv, flags)
		}
		return a.joinForUnit(req, *unit, *argv, flags)
	}
}

func (a *cli) join(req drivers.JoinRequest, argv []string, flags *sourceFlags) error {
	driver, joiner, err := a.joiner(context.Background(), flags)
	if err != nil {
		return err
	}
	defer driver.Close()
	logger := a.logger.With("group", req.Group, "member", req.Name)
	m := &joined{Process: a.Process, logger: logger, timeout: flags.timeout}
	done := a.waiting(flags.timeout, "joining group %s as %s", req.Group, req.Name)
	err = m.join(joiner, req)
	done()
	if err != nil {
		return err
	}
	m.logger.Info("Joined the group")
	defer m.membership.Abandon() // The member must not live on if anything below fails.
	if len(argv) == 0 {
		return m.stay()
	}
	return m.accompany(argv)
}

// joined is the membership of this process.
type joined struct {
	Process
	logger     *slog.Logger
	membership drivers.Membership
	timeout    time.Duration // of each request to the backend
}

// join joins the group, unless the process is asked to stop before it has joined.
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

// stops reports whether a signal asks the process to stop.
func stops(sig os.Signal) bool { return sig == os.Interrupt || sig == syscall.SIGTERM }

// stay stays a member until the process is asked to stop, and then leaves: a member that is stopped on purpose has not died.
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
	m.logger.Info("Left the group")
	return nil
}

// die records that the member died.
func (m *joined) die(death drivers.Death) error {
	ctx, cancel := context.WithTimeout(context.Background(), m.timeout)
	defer cancel()
	if err := m.membership.Die(ctx, death); err != nil {
		return fmt.Errorf("recording a death: %w", err)
	}
	m.logger.Info("Recorded the death of the member")
	return nil
}

// accompany stays a member until a command exits. The command gets the input, the output and the signals of this process,
// and its exit code becomes the exit code of this process. If the command exits by itself, the member died; if it exits
// after it was asked to stop, the member left.
func (m *joined) accompany(argv []string) error {
	subscribeSignals(m.Signals)
	// The command exits by itself or after a forwarded signal, never because of a context.
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
			m.forward(sig, cmd.Process)
		case <-removed:
			removed = nil // The message is logged once. The removal of the member is no reason to stop the command.
			m.logger.Error("The membership has ended, but the command still runs", "err", m.membership.Err())
		case err := <-ended:
			return m.commandEnded(err, asked)
		}
	}
}

// commandEnded ends the membership after the command has exited, and returns its exit code as an error.
func (m *joined) commandEnded(ended error, asked bool) error {
	at := time.Now()
	var err error
	switch {
	case m.membership.Err() != nil: // Another client has ended the membership.
	case asked:
		err = m.leave()
	default:
		err = m.die(drivers.Death{At: at, Cause: "its command ended: " + endOf(ended)})
	}
	if code := exitCode(ended); code != 0 {
		return &exitError{code, err}
	}
	return err
}

// endOf returns how a command ended, as a text.
func endOf(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}

// forward sends a signal to the command, unless the terminal has sent it to the command already.
func (m *joined) forward(sig os.Signal, to *os.Process) {
	if sig == syscall.SIGURG || sig == syscall.SIGCHLD {
		return // These signals are about this process.
	}
	if fromTerminal(m.Stdin, sig) {
		return
	}
	if err := to.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		m.logger.Warn("Forwarding a signal to the command failed", "signal", sig.String(), "err", err)
	}
}

// startFailure returns the exit code that shells have for a command that did not start: 127 if it was not found, 126 if it
// can't be run.
func startFailure(err error) int {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
		return 127
	}
	return 126
}

// exitCode returns the exit code that shells have for a command that has exited: its own, or 128 plus the number of the
// signal that killed it.
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
