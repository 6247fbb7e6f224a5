package cli

import (
	"encoding/json"
	"errors"
	"time"

	"servicegroup_exporter/app"
	"servicegroup_exporter/config"
	"servicegroup_exporter/probe/drill"
)

// drillFlags are the flags of drill.
type drillFlags struct {
	drill.Options
	source       string
	pollInterval time.Duration
	format       string
}

// defaultDrillPoll is the time between polls if the configuration has no poll_interval. No scrape polls a drill's source.
const defaultDrillPoll = time.Second

func (a *cli) drillCommand() command {
	c := a.kingpin.Command("drill", "Join simulated members to a real backend, make some of them fail, and report how fast the failures were detected.")
	f := new(drillFlags)
	c.Flag("source", "Name of the source to use, if the configuration has several.").StringVar(&f.source)
	c.Flag("members", "Number of members to join.").Default("50").IntVar(&f.Members)
	c.Flag("rate", "Number of members to join per second.").Default("20").Float64Var(&f.Rate)
	c.Flag("kill", "Share of members to kill, as by kill -9. They return after they were detected as down.").Default("0.3").Float64Var(&f.Kill)
	c.Flag("partition", "Share of members to disconnect from the network until they were detected as down.").Default("0.1").Float64Var(&f.Partition)
	c.Flag("pause", "Share of members to disconnect for a quarter of the heartbeat timeout, which must not be detected as a death.").
		Default("0.1").Float64Var(&f.Pause)
	c.Flag("flap", "Share of members to kill and restart, also if the death was not detected.").Default("0.1").Float64Var(&f.Flap)
	c.Flag("baseline", "Duration of the phase without failures, which measures the cost of live members (0s: no such phase).").
		Default("10s").DurationVar(&f.Baseline)
	c.Flag("duration", "Duration of the failure phase (0s: four heartbeat timeouts and ten seconds).").Default("0s").DurationVar(&f.Duration)
	c.Flag("poll-interval", "Time between two polls (0s: the poll_interval of the source, or 1s if it has none).").
		Default("0s").DurationVar(&f.pollInterval)
	c.Flag("format", "Output format: text or json.").Default("text").EnumVar(&f.format, "text", "json")
	return func() error { return a.drill(f) }
}

func (a *cli) drill(f *drillFlags) error {
	source, err := a.configured(f.source)
	if err != nil {
		return err
	}
	f.Source, f.Logger, f.Progress = app.ProbeSource(source, a.logger), a.logger, a.progress
	if f.pollInterval < 0 {
		return usageError("--poll-interval is %v, must not be negative", f.pollInterval)
	}
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
	a.progress.Done()
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

// configured returns the only source of the configuration, or the one with this name, as the file declares it.
func (a *cli) configured(name string) (*config.Source, error) {
	cfg, err := a.loadConfig()
	if err != nil {
		return nil, err
	}
	known := namesOf(cfg.Sources, func(s *config.Source) string { return s.Name })
	if name == "" && len(known) > 1 {
		return nil, several(known)
	}
	for i := range cfg.Sources {
		if s := &cfg.Sources[i]; name == "" || s.Name == name {
			return s, nil
		}
	}
	return nil, noSource(name, known)
}
