// Servicegroup_exporter exports to Prometheus, Grafana and Alertmanager which members of a service group are alive.
package main

// NOTICE has the licences of the modules that are linked.
//
//go:generate sh -c "go run ./tools/notice >NOTICE.new && mv NOTICE.new NOTICE"

import (
	"os"
	"os/signal"
	"syscall"

	"servicegroup_exporter/cli"
)

func main() { os.Exit(run()) }

func run() int {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	return cli.Run(cli.Process{
		Program:      os.Args[0],
		Args:         os.Args[1:],
		SystemConfig: cli.SystemConfigFile,
		Stdin:        os.Stdin,
		Stdout:       os.Stdout,
		Stderr:       os.Stderr,
		Signals:      signals,
	})
}
