// Package bench measures whole scrapes of members on real servers, and compares the exporter's exposition with the one of
// client_golang: line by line in a test, and by CPU time in benchmarks. `make bench` prints the results as tables.
package bench
