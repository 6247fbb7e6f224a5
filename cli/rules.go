package cli

import (
	"fmt"

	"servicegroup_exporter/alerts"
)

func (a *cli) rulesCommand() command {
	c := a.kingpin.Command("rules", "Print the Prometheus alerting rules for the configuration.")
	format := c.Flag("format", "Output format: prometheus (a file for rule_files) or prometheusrule (a manifest for the Prometheus operator).").
		Default("prometheus").Enum("prometheus", "prometheusrule")
	return func() error { return a.rules(*format) }
}

func (a *cli) rules(format string) error {
	cfg, err := a.loadConfig()
	if err != nil {
		return err
	}
	if a.configFile != "" && cfg.Alerting.Selector == "" {
		cfg.Alerting.Selector = cfg.SourceSelector()
	}
	write := alerts.RuleFile
	if format == "prometheusrule" {
		write = alerts.PrometheusRule
	}
	text, err := write(&cfg.Alerting)
	if err != nil {
		return err
	}
	if _, err := a.Stdout.Write(text); err != nil {
		return fmt.Errorf("printing the rules: %w", err)
	}
	return nil
}
