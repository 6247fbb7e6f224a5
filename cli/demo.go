package cli

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"servicegroup_exporter/cli/term"
	"servicegroup_exporter/collector"
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/sources"
)

// demoConfig is a configuration that detects deaths within two seconds.
const demoConfig = `# The configuration of the demonstration. Other commands can use it at the same time.
sources:
  - name: demo
    driver: db
    db:
      dsn: sqlite:///%s
      report_interval: 500ms
      service_down_time: 2s
    poll_interval: 250ms
alerting:
  alertmanagers: [{url: %q}]
  external_url: %q
  resolve_after: 0s # There is no Prometheus here whose rules would resolve alerts.
`

// demoPace is the mean time between two deaths or recoveries of simulated members.
const demoPace = 3 * time.Second

func (a *cli) demoCommand() command {
	c := a.kingpin.Command("demo", "Serve simulated members that die and return, on an embedded store.")
	duration := c.Flag("duration", "Stop after this time (0s: run until interrupted).").Default("0s").Duration()
	color := addColorFlag(c)
	flags := addServeFlags(c)
	return func() error {
		if *duration < 0 {
			return usageError("--duration is %v, must not be negative", *duration)
		}
		return a.demo(*duration, &eventPrinter{Screen: term.New(a.Stdout, *color)}, flags)
	}
}

func (a *cli) demo(duration time.Duration, printer *eventPrinter, flags *serveFlags) error {
	dir, err := os.MkdirTemp("", name+"-demo-")
	if err != nil {
		return fmt.Errorf("creating the directory of the demonstration: %w", err)
	}
	defer os.RemoveAll(dir)
	a.storagePath, a.configFile = dir, filepath.Join(dir, "demo.yml")
	ctx, cancel := a.untilStopped()
	defer cancel()
	if duration > 0 {
		ctx, cancel = context.WithTimeout(ctx, duration)
		defer cancel()
	}
	alertmanager, err := newDemoAlertmanager(ctx)
	if err != nil {
		return fmt.Errorf("listening for the alerts of the demonstration: %w", err)
	}
	address := browsable((*flags.toolkit.WebListenAddresses)[0])
	text := fmt.Sprintf(demoConfig, filepath.Join(dir, "demo.db"), alertmanager.url(), "http://"+address)
	if err := os.WriteFile(a.configFile, []byte(text), 0o600); err != nil {
		return fmt.Errorf("writing the configuration of the demonstration: %w", err)
	}
	server, err := a.newServer(ctx, flags)
	if err != nil {
		return err
	}
	parts, ctx := errgroup.WithContext(ctx)
	parts.Go(func() error { return server.Run(ctx) })
	parts.Go(func() error { return alertmanager.run(ctx) })
	parts.Go(func() error { return a.simulate(ctx, address, server.Collector(), alertmanager, printer) })
	return parts.Wait()
}

// simulate keeps members alive, lets them die and return, and prints the events of the collector and the alerts that are posted.
func (a *cli) simulate(
	ctx context.Context, address string, c *collector.Collector, alertmanager *demoAlertmanager, printer *eventPrinter,
) error {
	cfg, err := sources.Load(a.configFile)
	if err != nil {
		return err
	}
	driver, err := sources.New(cfg, nil, a.logger).Sources()[0].Open(a.logger)
	if err != nil {
		return err
	}
	defer driver.Close()
	members := newDemoMembers(driver.(drivers.Joiner))
	if err := members.joinAll(ctx); err != nil {
		return err
	}
	fmt.Fprintf(a.Stdout, `%d simulated members in %d groups are running. Every few seconds one of them dies or returns.

  status page         http://%s/
  alerts              %[4]s
  metrics             http://%[3]s/metrics
  in other terminals  %[5]s --config.file=%[6]s list
                      %[5]s --config.file=%[6]s watch

Press Ctrl-C to stop. Events:

`, len(members), len(demoGroups), address, alertmanager.url(), a.Program, a.configFile)

	events, unsubscribe := c.Subscribe(1000)
	defer unsubscribe()
	next := time.NewTimer(demoPace)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-next.C:
			next.Reset(demoPace/2 + rand.N(demoPace))
			if err := members.change(ctx); err != nil && ctx.Err() == nil {
				return err
			}
		case e := <-events:
			if err := printer.print(&e); err != nil {
				return fmt.Errorf("printing an event: %w", err)
			}
		case alert := <-alertmanager.changed:
			if err := printer.printDemoAlert(&alert); err != nil {
				return fmt.Errorf("printing an alert: %w", err)
			}
		}
	}
}

// browsable returns an address that a browser accepts for a listen address.
func browsable(address string) string {
	if address != "" && address[0] == ':' {
		return "localhost" + address
	}
	return address
}
