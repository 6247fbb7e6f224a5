// Package sites tests the rules and the bridge in the ways that sites run Prometheus and Alertmanager: several clouds in one
// Prometheus, labels of targets, inhibitions, relabelling, limits, federation, pairs and shards. All servers are real. Each
// exporter reads a table in an SQLite file that the test writes.
//
// By default it runs Debian's programs. With the flag -all it also runs those that `make evaluators` builds, and tests
// that take minutes.
package sites
