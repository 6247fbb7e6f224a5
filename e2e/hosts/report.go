package main

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// print prints the result as Markdown.
func print(out io.Writer, r *result) {
	pages := slices.Sorted(slices.Values(r.pages))
	fmt.Fprintln(out, "| machines killed | kill → page, median | 95 % | longest | notifications of them | messages about members before |")
	fmt.Fprintln(out, "| ---: | ---: | ---: | ---: | --- | ---: |")
	fmt.Fprintf(out, "| %d | %s | %s | %s | %s | %d |\n", len(pages), seconds(quantile(pages, 0.5)), seconds(quantile(pages, 0.95)),
		seconds(quantile(pages, 1)), r.killed, r.suspicions)
	fmt.Fprintln(out, "\n| what was done | notifications |")
	fmt.Fprintln(out, "| --- | --- |")
	fmt.Fprintf(out, "| all services of a machine restarted, without reports for %s | %s |\n", r.settings.restart, r.restarted)
	fmt.Fprintf(out, "| a stall: no reports of all %d machines for %s | %s |\n", r.settings.hosts, r.settings.stall, r.stalled)
	fmt.Fprintf(out, "| a machine frozen until it was paged | %s |\n", r.refuted)
}

// quantile returns the least of sorted times that at least a share of them does not exceed.
func quantile(sorted []time.Duration, share float64) time.Duration {
	return sorted[max(int(share*float64(len(sorted))+0.999999)-1, 0)]
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

func (n notified) String() string { return fmt.Sprintf("%d firing, %d resolved", n.firing, n.resolved) }
