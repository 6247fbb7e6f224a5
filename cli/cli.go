// Package cli is the command line: one file a command. Each command says in its file what flags it has and what it
// does; the rest of the program knows neither flags nor signals.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"
	promslogflag "github.com/prometheus/common/promslog/flag"
	"github.com/prometheus/common/version"

	"servicegroup_exporter/cli/term"
)

// name is the program's name in its help, version and metrics.
const name = "servicegroup_exporter"

// Process is what the command line needs of the operating system.
type Process struct {
	Program        string   // how the program was called, for hints at other commands
	Args           []string // without the program
	Stdin          *os.File
	Stdout, Stderr io.Writer
	// Signals receives the signals that reach the process: an interrupt or SIGTERM stops it, SIGHUP reloads. `join`
	// adds signals to those it is notified of, to pass them on.
	Signals chan os.Signal
}

// The exit codes.
const (
	exitFailure = 1
	exitUsage   = 2
	exitUnknown = 3 // is-up: the source can't be read
)

// exitError ends the process with a code of its own. With a nil error nothing is printed.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return fmt.Sprintf("exit code %d: %v", e.code, e.err) }

func (e *exitError) Unwrap() error { return e.err }

// usageError is a command line that asks for the impossible.
func usageError(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// cli is one run of the program: what every command shares.
type cli struct {
	Process
	kingpin *kingpin.Application

	configFile  string
	storagePath string
	logConfig   promslog.Config
	logLevelSet bool
	logger      *slog.Logger

	reload chan struct{} // receives when SIGHUP has come
}

// A command is what to run once the command line is parsed.
type command func() error

// Run runs the program and returns its exit code.
func Run(p Process) int {
	a := &cli{Process: p, reload: make(chan struct{}, 1)}
	err := a.run()
	if err == nil {
		return 0
	}
	code := exitFailure
	if exit, ok := errors.AsType[*exitError](err); ok {
		code, err = exit.code, exit.err
	}
	if err != nil {
		fmt.Fprintf(p.Stderr, "%s: %s\n", name, term.PrintableLines(err.Error()))
	}
	return code
}

func (a *cli) run() error {
	commands, exited := a.parser()
	selected, err := a.kingpin.Parse(a.Args)
	if *exited {
		return nil // --help or --version was printed.
	}
	if err != nil {
		return usageError("%w, try --help", err)
	}
	if err := a.quieten(selected); err != nil {
		return err
	}
	a.logger = promslog.New(&a.logConfig)
	return commands[selected]()
}

// quieten sets how much a command logs if the user has not said so. Commands that only write log what may surprise;
// those that read print events and failures themselves.
func (a *cli) quieten(selected string) error {
	if a.logLevelSet {
		return nil
	}
	switch selected {
	case serveName:
		return nil
	case "join", "leave":
		return a.logConfig.Level.Set("warn")
	default:
		return a.logConfig.Level.Set("error")
	}
}

// parser declares flags and commands.
func (a *cli) parser() (commands map[string]command, exited *bool) {
	k := kingpin.New(name, "Tells Prometheus which members of a service group are alive, and is a member itself.")
	a.kingpin = k
	exited = new(bool)
	k.Terminate(func(int) { *exited = true })
	k.UsageWriter(a.Stdout)
	k.ErrorWriter(a.Stderr)
	k.Version(version.Print(name))
	k.HelpFlag.Short('h')

	k.Flag("config.file", "Configuration file. Without one an embedded store in the storage path is used.").
		StringVar(&a.configFile)
	k.Flag("storage.path", "Folder of the embedded store and of what is remembered about members over restarts.").
		Default("data").StringVar(&a.storagePath)
	promslogflag.AddFlags(k, &a.logConfig)
	k.GetFlag(promslogflag.LevelFlagName).IsSetByUser(&a.logLevelSet)
	a.logConfig.Writer = a.Stderr

	return map[string]command{
		serveName: a.serveCommand(),
		"list":    a.listCommand(),
		"get-one": a.getOneCommand(),
		"is-up":   a.isUpCommand(),
		"watch":   a.watchCommand(),
		"join":    a.joinCommand(),
		"leave":   a.leaveCommand(),
		"drill":   a.drillCommand(),
		"rules":   a.rulesCommand(),
		"demo":    a.demoCommand(),
	}, exited
}

// untilStopped returns a context that ends when the process is asked to stop. A second request ends the process at once,
// because signals then have their default effect again. SIGHUP goes to a.reload.
func (a *cli) untilStopped() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case sig := <-a.Signals:
				if sig != syscall.SIGHUP {
					signal.Reset(os.Interrupt, syscall.SIGTERM)
					cancel()
					return
				}
				select {
				case a.reload <- struct{}{}:
				default: // A reload is due already.
				}
			}
		}
	}()
	return ctx, cancel
}
