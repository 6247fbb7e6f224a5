// Package dashboards builds the Grafana dashboards for a configuration.
package dashboards

// The shipped dashboards are the output of the command without a configuration file.
//
//go:generate go run .. dashboards --output=.
