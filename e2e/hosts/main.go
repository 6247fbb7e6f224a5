// Hosts measures the time from the death of a machine to its page. It starts MariaDB with the tables of Nova, Neutron and Cinder,
// Alertmanager with the shipped configuration, a webhook receiver and the exporter. Three services run on each machine, which report
// every 10 s, 30 s and 10 s. It restarts the services of one machine, holds the reports of all, freezes one machine until it is paged, and
// kills machines at random instants. It prints how long each page took and how many notifications were sent. While machines are killed, a
// Prometheus with the rules sends alerts too.
//
// It needs the Debian packages that `make deps` installs. Run it in the folder e2e as `go run ./hosts`.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kingpin/v2"

	"servicegroup_exporter/internal/testserver"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout)) }

func run(args []string, out io.Writer) int {
	k := kingpin.New("hosts", "Measure the time from the death of a machine to its page with real servers.")
	deaths := k.Flag("deaths", "Number of machines to kill.").Default("24").Int()
	if _, err := k.Parse(args); err != nil {
		fmt.Fprintln(os.Stderr, "hosts:", err)
		return 2
	}
	b := &testserver.Bench{Out: os.Stderr}
	return b.Run(func() { print(out, measure(b, realSettings(*deaths))) })
}
