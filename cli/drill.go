package cli

import (
	"encoding/json"
	"errors"
	"time"

	"servicegroup_exporter/app"
	"servicegroup_exporter/config"
	"servicegroup_exporter/probe/drill"
)

// drillFlags are what the user may say about a drill.
type drillFlags struct {
	drill.Options
	source       string
	pollInterval time.Duration
	format       string
}

// defaultDrillPoll is the time between polls where the configuration has none: nobody scrapes a drill.
const defaultDrillPoll = time.Second

func (a *cli) drillCommand() command {
	c := a.kingpin.Command("drill", "Joins simulated members to a real backend, kills some, and reports what detection took.")
	f := new(drillFlags)
	c.Flag("source", "Name of the source, where the configuration has several.").StringVar(&f.source)
	c.Flag("members", "How many members join.").Default("50").IntVar(&f.Members)
	c.Flag("rate", "How many of them join in a second.").Default("20").Float64Var(&f.Rate)
	c.Flag("kill", "Share of members that die as by kill -9, and return when they were seen dead.").Default("0.3").Float64Var(&f.Kill)
	c.Flag("cut", "Share of members that lose the network without a word until they were seen dead.").Default("0.1").Float64Var(&f.Partition)
	c.Flag("freeze", "Share of members that lose the network for a quarter of the down time, which nobody should notice.").
		Default("0.1").Float64Var(&f.Pause)
	c.Flag("flap", "Share of members that die and return, whoever notices.").Default("0.1").Float64Var(&f.Flap)
	c.Flag("steady", "How long nothing happens, to measure what living members cost; 0s: not at all.").
		Default("10s").DurationVar(&f.Baseline)
	c.Flag("duration", "How long things happen; 0s: four down times and ten seconds.").Default("0s").DurationVar(&f.Duration)
	c.Flag("poll-interval", "Time between polls; 0s: the source's poll_interval, or a second where it has none.").
		Default("0s").DurationVar(&f.pollInterval)
	c.Flag("format", "text or json.").Default("text").EnumVar(&f.format, "text", "json")
	return func() error { return a.drill(f) }
}

func (a *cli) drill(f *drillFlags) error {
	source, err := a.configured(f.source)
	if err != nil {
		return err
	}
	f.Source, f.Logger, f.Progress = app.ProbeSource(source, a.logger), a.logger, a.Stderr
	if f.pollInterval > 0 {
		f.Source.PollInterval = f.pollInterval
	} else if source.PollInterval == 0 {
		f.Source.PollInterval = defaultDrillPoll
	}
	if err := f.Validate(); err != nil {
		return usageError("%w", err)
	}
	ctx, cancel := a.untilStopped()
	defer cancel()
	report, err := drill.Run(ctx, f.Options)
	if report != nil {
		err = errors.Join(err, a.printDrill(report, f.format))
	}
	return err
}

// printDrill prints a report.
func (a *cli) printDrill(report *drill.Report, format string) error {
	if format == "json" {
		e := json.NewEncoder(a.Stdout)
		e.SetIndent("", " ")
		return e.Encode(report)
	}
	return report.WriteText(a.Stdout)
}

// configured gives the only source of the configuration, or the one that is named, before it is expanded.
func (a *cli) configured(name string) (*config.Source, error) {
	cfg, err := a.loadConfig()
	if err != nil {
		return nil, err
	}
	if name == "" && len(cfg.Sources) > 1 {
		return nil, several(names(cfg.Sources, func(s *config.Source) string { return s.Name }))
	}
	for i := range cfg.Sources {
		if s := &cfg.Sources[i]; name == "" || s.Name == name {
			return s, nil
		}
	}
	return nil, usageError("no source %q in the configuration: it has %s", name, names(cfg.Sources, func(s *config.Source) string { return s.Name }))
}
