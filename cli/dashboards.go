package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/dashboards"
)

// dashboardFlags are the flags of the command "dashboards".
type dashboardFlags struct {
	names       []string
	output      string
	titlePrefix string
	tags        []string
}

func (a *cli) dashboardsCommand() command {
	c := a.kingpin.Command("dashboards", "Print the Grafana dashboards for the configuration, as JSON.")
	var f dashboardFlags
	c.Arg("NAME", "Dashboards to print: overview, group, detection, exporter. Default: all.").EnumsVar(&f.names, dashboards.Names()...)
	c.Flag("output", "Folder in which to write the dashboards, as NAME.json, instead of printing them. It must exist.").
		PlaceHolder("DIR").StringVar(&f.output)
	c.Flag("title-prefix", "Beginning of the title of each dashboard.").Default("Service groups: ").StringVar(&f.titlePrefix)
	tags := c.Flag("tag", "Tag of each dashboard; may be repeated.").Default("servicegroup")
	tags.StringsVar(&f.tags)
	return func() error { return a.dashboards(&f) }
}

func (a *cli) dashboards(f *dashboardFlags) error {
	cfg, err := a.loadConfig()
	if err != nil {
		return err
	}
	options := dashboards.Options{
		TitlePrefix: f.titlePrefix, Tags: f.tags, ExporterURL: cfg.Alerting.ExternalURL, ClusterLabel: cfg.Alerting.ClusterLabel,
		ScrapeInterval: time.Duration(cfg.Alerting.ScrapeInterval), DegradedLimits: alerts.DegradedLimits(&cfg.Alerting),
	}
	if a.configFile != "" { // The shipped dashboards are for any job.
		options.Job = cfg.Alerting.Job
	}
	names := f.names
	if len(names) == 0 {
		names = dashboards.Names()
	}
	for _, name := range names {
		text, err := options.Build(name)
		if err != nil {
			return err
		}
		if f.output == "" {
			_, err = a.Stdout.Write(text)
		} else {
			err = os.WriteFile(filepath.Join(f.output, name+".json"), text, 0o644)
		}
		if err != nil {
			return fmt.Errorf("writing the dashboard %s: %w", name, err)
		}
	}
	return nil
}
