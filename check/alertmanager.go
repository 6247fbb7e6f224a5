package check

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/alerts/alertmanager"
	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/sources"
)

// An alertmanagerResult is what was found out about an Alertmanager.
type alertmanagerResult struct {
	findings  []drivers.Finding
	reachable bool
	groupWait time.Duration // the longest of its routes
}

// alertmanager checks one Alertmanager within the timeout.
func (c *Checker) alertmanager(ctx context.Context, am *config.Alertmanager, alerting *config.Alerting, all []sources.Source) alertmanagerResult {
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	r := alertmanagerResult{}
	reports := alertmanager.Inspect(ctx, am)
	for _, report := range reports {
		r.reachable = r.reachable || report.Err == nil
	}
	for _, report := range reports {
		var findings []drivers.Finding
		if report.Err != nil {
			findings = []drivers.Finding{unusable(report.Err, r.reachable)}
		} else {
			r.groupWait = max(r.groupWait, report.GroupWait)
			findings = []drivers.Finding{
				drivers.OK("server", "Alertmanager %s answers; its longest group_wait is %s", report.Version, short(report.GroupWait)),
				cluster(report), drivers.Encryption(hostOf(am.URL.URL), report.TLS, time.Now()), alertmanagerClock(report),
				sameLabels(report, alerting, all),
			}
		}
		for _, f := range findings {
			if report.Address.IsValid() {
				f.Text = report.Address.String() + ": " + f.Text
			}
			r.findings = append(r.findings, f)
		}
	}
	return r
}

// unusable is the finding about a server that can't be used. It is a warning if the same name has another one that can.
func unusable(err error, another bool) drivers.Finding {
	f := drivers.Failure("server", "can't be used: "+err.Error(),
		"check that the URL is that of Alertmanager's own pages and can be reached from here, and the settings for its login and TLS")
	if another {
		f.Status = drivers.StatusWarning
		f.Text += "; another address of the name answers"
	}
	return f
}

// hostOf returns host and port of a URL.
func hostOf(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	return net.JoinHostPort(u.Hostname(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
}

func cluster(report *alertmanager.Report) drivers.Finding {
	const subject = "cluster"
	switch report.Cluster {
	case "disabled", "":
		return drivers.OK(subject, "it is a single instance: while it is down, no alert is delivered")
	case "ready":
		return drivers.OK(subject, "its cluster is ready, with %s", Count(report.Peers, "peer"))
	}
	return drivers.Warning(subject, fmt.Sprintf("its cluster is %s, with %s", report.Cluster, Count(report.Peers, "peer")),
		"run check again in a minute; if that stays, check --cluster.peer and the network between the Alertmanagers")
}

// alertmanagerClock compares the Date of answers with this machine's clock as the client does. Only an alert that Alertmanager receives shows its own clock, and
// check posts none.
func alertmanagerClock(report *alertmanager.Report) drivers.Finding {
	const subject = "clock"
	if !report.HasDate {
		return drivers.OK(subject, "its answers have no Date: its clock is not known until it has received an alert")
	}
	text := "the Date of its answers and this machine's clock differ by " + difference(report.DateOffset)
	if report.ClockDoubtful {
		return drivers.Warning(subject, text+": the clock of Alertmanager, of a proxy before it or of this machine is wrong. "+
			"Alerts are posted without times until Alertmanager has said when it received one", "let all of them follow the same time servers")
	}
	return drivers.OK(subject, "%s", text)
}

// sameLabels compares the labels of alerts about the sources that Alertmanager has with the labels of this configuration. If they
// differ, each death notifies twice.
func sameLabels(report *alertmanager.Report, alerting *config.Alerting, all []sources.Source) drivers.Finding {
	const subject = "labels"
	builder := alerts.NewBuilder(alerting)
	compared, differing := 0, map[string]bool{}
	for _, a := range report.Alerts {
		id := alerts.IDOf(a.Labels)
		known := slices.ContainsFunc(all, func(s sources.Source) bool { return s.Name == id.Source })
		if !known || !alerts.IsPosted(id.Alert) {
			continue
		}
		own := builder.Build(id, alerts.Facts{})
		compared++
		for _, label := range alertmanager.Differences(own.Labels, a.Labels) {
			differing[label] = true
		}
	}
	switch {
	case compared == 0:
		return drivers.OK(subject, "it has no alerts about these sources now, with which labels could be compared")
	case len(differing) == 0:
		return drivers.OK(subject, "its %s about these sources have the labels of this configuration", Count(compared, "alert"))
	}
	return drivers.Warning(subject, fmt.Sprintf("it has alerts about these sources whose labels are not the labels of this configuration: %s differ. "+
		"Each such death notifies twice", strings.Join(slices.Sorted(maps.Keys(differing)), ", ")),
		"set alerting.external_labels as in prometheus.yml, and list in alerting.drop_labels what its alert_relabel_configs drop")
}
