package cli

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// passSignals asks for the signals that processes use among each other, beside those that stop this one.
func passSignals(signals chan os.Signal) {
	signal.Notify(signals, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH, syscall.SIGALRM)
}

// fromTerminal says whether a signal was most likely typed, or sent by a window that was resized: then the terminal
// sent it to every process in its foreground group, the command included.
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
