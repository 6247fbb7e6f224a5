// Package cli is the command line. Each command has a file with its flags and its code; cli.go, sources.go, selection.go
// and read.go have what several commands share. The rest of the program reads neither flags nor signals.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"
	promslogflag "github.com/prometheus/common/promslog/flag"
	"github.com/prometheus/common/version"

	"servicegroup_exporter/cli/term"
	"servicegroup_exporter/drivers"
)

// name is the name of the program in its help, its version and its errors.
const name = "servicegroup_exporter"

// SystemConfigFile is where the packages have the configuration file.
const SystemConfigFile = "/etc/servicegroup_exporter/servicegroups.yml"

// Process is what the command line needs from the operating system.
type Process struct {
	Program        string   // how the program was called, for hints at other commands of it
	Args           []string // without the program
	SystemConfig   string   // the configuration file without --config.file, if it exists
	Stdin          *os.File
	Stdout, Stderr io.Writer
	// Signals receives the signals of the process: an interrupt or SIGTERM stops it, SIGHUP reloads the configuration.
	// The join command subscribes the channel to further signals, to forward them.
	Signals chan os.Signal
}

// The exit codes.
const (
	exitFailure = 1
	exitUsage   = 2
	exitUnknown = 3 // the source can't be read, so that the answer is unknown
	exitAbsent  = 4 // there is no such group, or no such member
)

// exitError ends the process with a code. If err is nil, no error is printed.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return fmt.Sprintf("exit code %d: %v", e.code, e.err) }

func (e *exitError) Unwrap() error { return e.err }

// usageError returns the error of a wrong command line.
func usageError(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// A cli is one run of the program. It has what all commands share.
type cli struct {
	Process
	kingpin *kingpin.Application

	configFile     string
	configBasePath string
	storagePath    string
	logConfig      promslog.Config
	logLevelSet    bool
	logger         *slog.Logger
	progress       *term.StatusLine // on the standard error; the log is written through it

	reload chan struct{} // receives after SIGHUP
}

// A command runs after the command line was parsed.
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
	} else if errors.Is(err, drivers.ErrNoMember) || errors.Is(err, drivers.ErrNoGroup) {
		code = exitAbsent
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
		return a.parseError(err)
	}
	if a.configFile == "" {
		// A file that exists and can't be read is no reason to use the embedded store.
		if _, err := os.Stat(a.SystemConfig); !errors.Is(err, fs.ErrNotExist) {
			a.configFile = a.SystemConfig
		}
	}
	if err := a.quieten(selected); err != nil {
		return err
	}
	a.logger = promslog.New(&a.logConfig)
	return commands[selected]()
}

// renamedFlags are the flags of earlier versions and the flags that replace them.
//
//nolint:gochecknoglobals // A constant in all but name.
var renamedFlags = map[string]string{
	"cut":                   "--partition",
	"freeze":                "--pause",
	"plots":                 "--format=json, whose output can be plotted",
	"scrape.timeout-offset": "--timeout-offset",
	"steady":                "--baseline",
}

// quieten sets the log level of a command, unless the user has set it. A command that joins also logs its success, and one that
// removes members logs warnings. Commands that read log errors only, because they print events and failures themselves.
func (a *cli) quieten(selected string) error {
	if a.logLevelSet {
		return nil
	}
	switch selected {
	case serveName:
		return nil
	case "join":
		return a.logConfig.Level.Set("info") // The member has joined, has joined again, has left.
	case "leave":
		return a.logConfig.Level.Set("warn")
	default:
		return a.logConfig.Level.Set("error")
	}
}

// parser declares the flags and the commands. After parsing, exited tells whether --help or --version was printed.
func (a *cli) parser() (commands map[string]command, exited *bool) {
	a.progress = term.NewStatusLine(a.Stderr)
	k := kingpin.New(name, "Prometheus exporter for the members of service groups, and ServiceGroup client: join, leave, list and watch members.")
	a.kingpin = k
	exited = new(bool)
	k.Terminate(func(int) { *exited = true })
	k.UsageWriter(a.Stdout)
	k.ErrorWriter(a.Stderr)
	k.Version(version.Print(name))
	k.HelpFlag.Short('h')

	k.Flag("config.file", "Configuration file. Without the flag it is "+SystemConfigFile+". If that does not exist, an embedded store in the storage path is the only source.").
		StringVar(&a.configFile)
	k.Flag("config.base-path", "Directory at which relative paths in the configuration file begin. By default it is that of the file. "+
		"With it, a copy in another directory can be checked.").
		StringVar(&a.configBasePath)
	k.Flag("storage.path", "Directory for state files and for the embedded store.").
		Default("data").StringVar(&a.storagePath)
	promslogflag.AddFlags(k, &a.logConfig)
	k.GetFlag(promslogflag.LevelFlagName).IsSetByUser(&a.logLevelSet)
	a.logConfig.Writer = a.progress

	return map[string]command{
		serveName:    a.serveCommand(),
		"check":      a.checkCommand(),
		"list":       a.listCommand(),
		"get-one":    a.getOneCommand(),
		"is-up":      a.isUpCommand(),
		"watch":      a.watchCommand(),
		"join":       a.joinCommand(),
		"leave":      a.leaveCommand(),
		"drill":      a.drillCommand(),
		"rules":      a.rulesCommand(),
		"dashboards": a.dashboardsCommand(),
		"demo":       a.demoCommand(),
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
