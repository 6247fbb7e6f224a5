// Package dashboards holds the Grafana dashboards: JSON files that a program in dashboards/gen makes, and the tests that
// keep them true.
package dashboards

//go:generate go -C gen run . ..
