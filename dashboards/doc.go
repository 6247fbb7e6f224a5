// Package dashboards holds the Grafana dashboards: JSON files that a program in tools/dashboards makes, and the tests that
// keep them true.
package dashboards

//go:generate go -C ../tools/dashboards run . ../../dashboards
