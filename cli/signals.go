package cli

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// subscribeSignals subscribes to the signals that are forwarded, besides those that stop this process.
func subscribeSignals(signals chan os.Signal) {
	signal.Notify(signals, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH, syscall.SIGALRM)
}

// fromTerminal reports whether a signal most likely comes from the terminal, by a key or because its window was resized. The
// terminal sends such a signal to every process in its foreground group, including the command.
func fromTerminal(stdin *os.File, sig os.Signal) bool {
	switch sig {
	case syscall.SIGINT, syscall.SIGQUIT, syscall.SIGWINCH:
	default:
		return false
	}
	if stdin == nil {
		return false
	}
	foreground, err := unix.IoctlGetInt(int(stdin.Fd()), unix.TIOCGPGRP)
	return err == nil && foreground == unix.Getpgrp()
}
