package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"servicegroup_exporter/e2e/machine"
)

// report prints the table of results, and reports whether no fault had a problem.
func report(out io.Writer, results []result) bool {
	good, n, versions := true, 0, map[string]bool{}
	for _, r := range results {
		versions[r.version] = true
	}
	fmt.Fprintf(out, "Measured on %s: %s; %s; revision %s.\n\n", time.Now().UTC().Format(time.DateOnly), machine.Describe(),
		strings.Join(slices.Sorted(maps.Keys(versions)), ", "), machine.Revision())
	fmt.Fprintln(out, "| backend | fault | deaths by the backend's own verdict | false deaths | false recoveries | lost events "+
		"| known again after (bound) | longest scrape |")
	fmt.Fprintln(out, "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
	for _, r := range results {
		for _, o := range r.outcomes {
			n++
			mark := ""
			if len(o.problems) > 0 {
				good, mark = false, " **FAILED**"
			}
			fmt.Fprintf(out, "| %s | %s%s | %d | %d | %d | %d | %s (%s) | %s |\n", r.name, o.fault.name, mark, o.ownDeaths,
				o.falseDeaths, o.falseRecoveries, o.lost, short(o.recovery), short(o.fault.bound()), short(o.longest))
		}
		for i := range r.faults[len(r.outcomes):] {
			good = false
			fmt.Fprintf(out, "| %s | %s **DID NOT RUN** | | | | | | |\n", r.name, r.faults[len(r.outcomes)+i].name)
		}
	}
	fmt.Fprintf(out, "\nn = %d faults, each once. The heartbeat timeout is %s. No scrape may take longer than %s.\n", n,
		short(heartbeatTimeout), short(scrapeTimeout))
	return good
}

func short(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
