// Pages measures the time from the death of a member to the page. It starts ZooKeeper or MariaDB, Prometheus, Alertmanager, a
// webhook receiver and the exporter. It runs members as processes, kills them with kill -9, and prints how long each step took
// and how many notifications were sent. It also breaks one part after the other, which must not cause any notification.
//
// It needs the Debian packages that `make deps` installs. Run it in the folder e2e as `go run ./pages`.
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
	k := kingpin.New("pages", "Measure the time from death to page with real servers.")
	backend := k.Flag("backend", "Backend: zookeeper or mariadb.").Default("zookeeper").Enum(zookeeper, mariadb)
	deaths := k.Flag("deaths", "Number of deaths to measure on each path.").Default("20").Int()
	faults := k.Flag("faults", "Break one part after the other, too.").Default("true").Bool()
	if _, err := k.Parse(args); err != nil {
		fmt.Fprintln(os.Stderr, "pages:", err)
		return 2
	}
	b := &testserver.Bench{Out: os.Stderr}
	return b.Run(func() { measure(b, out, *backend, *deaths, *faults) })
}

// measure prints the results as Markdown.
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
		printFaults(out, runFaults(b, faultSettings(backend), allFaults()))
	}
}
