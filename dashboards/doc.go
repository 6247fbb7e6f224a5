// Package dashboards builds the Grafana dashboards for a configuration, as JSON.
//
// Begin with [Options.Build], and with one dashboard, as in overview.go: a page, to which each function adds a row of panels. The others
// are in group.go, detection.go and exporter.go. members.go, hosts.go, member.go and bridge.go have the panels that several of them show, or
// that are longest. A panel has queries, which promql.go and histogram.go help to write, and one of the ways to draw in kinds.go and table.go.
// look.go gives each colour one meaning.
//
// The tests run each query in a real Prometheus. e2e/browser draws the dashboards with Grafana's own panels.
package dashboards

// The shipped dashboards are the output of the command without a configuration file.
//
//go:generate go run .. dashboards --output=.
