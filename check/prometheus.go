package check

import (
	"context"
	"errors"
	"fmt"
	"time"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
)

// A prometheusResult is what the Prometheus that is asked which hosts answer has said.
type prometheusResult struct {
	report *alerts.HostReport
	err    error
}

// prometheus asks once within the timeout.
func (c *Checker) prometheus(ctx context.Context, alerting *config.Alerting) (r prometheusResult) {
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	query, err := alerts.NewHostQuery(alerting, nil)
	if err != nil {
		return prometheusResult{err: err}
	}
	defer query.Close()
	r.report, r.err = query.Ask(ctx)
	return r
}

// prometheusFindings returns what an answer shows about the hosts of all members.
func (c *Checker) prometheusFindings(r prometheusResult, asked *config.Alertmanager, hosts map[string]bool) []drivers.Finding {
	answers := drivers.OK("server", "it answers queries")
	if refused, ok := errors.AsType[*alerts.QueryError](r.err); ok {
		return []drivers.Finding{answers, drivers.Failure("host_query", c.placed("alerting.host_query", refused),
			"correct the expression; Prometheus' own page shows its result")}
	}
	if r.err != nil {
		return []drivers.Finding{drivers.Failure("server", "can't be asked which hosts answer: "+r.err.Error(),
			"check that the URL is that of Prometheus' own pages and can be reached from here, and the settings for its login and TLS")}
	}
	return []drivers.Finding{answers, drivers.Encryption(hostOf(asked.URL.URL), r.report.TLS, time.Now()), hostQuery(r.report, hosts)}
}

// placed returns the text of a mistake in a setting with file and line, as [config.Load] reports mistakes.
func (c *Checker) placed(setting string, mistake error) string {
	_, err := config.Load(c.opts.ConfigFile, c.opts.ConfigBasePath, func(*config.Config) error { return drivers.Field(setting, "%w", mistake) })
	return err.Error()
}

// hostQuery compares the hosts of a result with the hosts of the members.
func hostQuery(report *alerts.HostReport, hosts map[string]bool) drivers.Finding {
	const subject = "host_query"
	count := map[string]int{}
	for host := range hosts {
		count[report.Answers[host]]++
	}
	yes, no, unknown := count[alerts.HostAnswers(1)], count[alerts.HostAnswers(0)], count[""]
	switch {
	case report.Samples == 0:
		return drivers.Warning(subject, "its result is empty, so that of no host it is known whether it answers",
			"set alerting.host_query to an expression that has a result; the default needs a scrape job node with the machines' node_exporters")
	case len(report.Answers) == 0:
		return drivers.Warning(subject, fmt.Sprintf("its result has %s, none of which is about a host of this cluster", Count(report.Samples, "sample")),
			"let the result have the label host, and the cluster label of alerting.external_labels or none")
	case len(hosts) == 0:
		return drivers.OK(subject, "its result has %s; no member's host is known to compare them with", Count(len(report.Answers), "host"))
	case unknown == len(hosts):
		return drivers.Warning(subject, fmt.Sprintf("its result has %s, but none that a member is on", Count(len(report.Answers), "host")),
			"let the label host have the names that `list --by host` shows")
	}
	return drivers.OK(subject, "of %s with members %d answer, %d do not, and %d are not in the result", Count(len(hosts), "host"), yes, no, unknown)
}
