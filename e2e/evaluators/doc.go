// Package evaluators tests the rules in the programs that evaluate rules: Prometheus in Debian's and in a newer release, and
// VictoriaMetrics. It needs the programs that `make evaluators` builds.
package evaluators
