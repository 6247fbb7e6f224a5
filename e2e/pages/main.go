// Endtoend measures the way from death to page with real parts: it starts ZooKeeper or MariaDB, Prometheus, Alertmanager, a
// webhook receiver and the exporter, lets members live as processes of their own, kills them with kill -9, and says how long
// each step took and how many notifications came of it. In between it breaks one part after the other, of which no
// notification may come at all.
//
// It needs the Debian packages that `make deps` installs, and is to be run in the folder e2e, as `go run ./pages`.
package main

import (
	"fmt"
	"io"
	"os"

	"servicegroup_exporter/internal/testserver"

	"github.com/alecthomas/kingpin/v2"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout)) }

func run(args []string, out io.Writer) int {
	k := kingpin.New("endtoend", "Measures the way from death to page with real servers.")
	backend := k.Flag("backend", "zookeeper or mariadb.").Default("zookeeper").Enum(zookeeper, mariadb)
	deaths := k.Flag("deaths", "Deaths to measure on each path.").Default("20").Int()
	faults := k.Flag("faults", "Break one part after the other, too.").Default("true").Bool()
	if _, err := k.Parse(args); err != nil {
		fmt.Fprintln(os.Stderr, "endtoend:", err)
		return 2
	}
	b := &testserver.Bench{Out: os.Stderr}
	return b.Run(func() { measure(b, out, *backend, *deaths, *faults) })
}

// measure prints everything as Markdown.
func measure(b *testserver.Bench, out io.Writer, backend string, deaths int, faults bool) {
	var results []*result
	for _, path := range []settings{
		ruleSettings(backend), bridgeSettings(backend),
	} {
		fmt.Fprintf(b.Out, "%s: %d deaths\n", path.name, deaths)
		results = append(results, measureDeaths(b, path, deaths))
	}
	printDeaths(out, results)
	if faults {
		fmt.Fprintln(out)
		printFaults(out, breakThings(b, faultSettings(backend), allFaults()))
	}
}
