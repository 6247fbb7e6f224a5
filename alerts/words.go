package alerts

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"servicegroup_exporter/collector/hosts"
)

// timeFormat is how times are shown in descriptions.
const timeFormat = "2006-01-02 15:04:05 MST"

// The descriptions of alerts have numbers, which are words in braces in the definitions. In a rule they become templates. The value
// of the alert costs nothing; a query costs Prometheus time for each alert that fires, and is only for alerts about groups,
// sources and exporters, and for members that flap, which are few. The bridge writes the same numbers from [Facts].

// wordTemplates returns the words, each followed by its template.
func (c alerting) wordTemplates() []string {
	const (
		groupMembers = "max(servicegroup:members_in_service{these})"
		members      = "sum(max by (group) (servicegroup:members_in_service{these}))"
		down         = "sum(max by (group) (servicegroup:members_down{these}))"
		lastScrape   = "max(max_over_time(timestamp(up{these} == 1)[1h:1m]))"
		services     = "count by (source, group, binary) (group by (source, group, binary, member) (servicegroup_host_silent_member_timestamp_seconds{these}))"
		lastPost     = "max(servicegroup_notifications_last_success_timestamp_seconds{these}) > 0"
		asTime       = `{{ (. | first | value | toTime).UTC.Format "` + timeFormat + `" }}`
	)
	return []string{
		"{binary}", "{{ with $labels.binary }} ({{ . }}){{ end }}",
		"{zone}", "{{ with $labels.zone }}, zone {{ . }},{{ end }}",
		"{since}", `{{ if gt $value 1.0 }} since {{ ($value | toTime).UTC.Format "` + timeFormat + `" }}{{ end }}`,
		"{value}", "{{ $value }}",
		"{duration}", "{{ $value | humanizeDuration }}",
		"{about}", `{{ $value | printf "%.0f" }}`,
		"{percent}", "{{ $value | humanizePercentage }}",
		"{of group}", c.query(groupMembers, " of {{ . | first | value }}", "source", "group"),
		"{of source}", c.query(members, " of {{ . | first | value }}", "source"),
		"{retained}", c.query(down+" > 0", ": {{ . | first | value }} members were down when it was last read", "source"),
		"{newest}", c.query("max(servicegroup_source_newest_heartbeat_timestamp_seconds{these})", ", of "+asTime+",", "source"),
		"{timeout}", c.query("max(servicegroup_source_heartbeat_timeout_seconds{these})", " of {{ . | first | value | humanizeDuration }}", "source"),
		"{last read}", c.query("max(servicegroup_source_last_success_timestamp_seconds{these}) > 0", " It was last read at "+asTime+".", "source"),
		"{last poll}", c.query("max(servicegroup_source_last_success_timestamp_seconds{these})", ", since "+asTime, "source"),
		"{reason}", c.query("topk(1, sum by (reason) (increase(servicegroup_source_poll_errors_total{these}[5m])) > 0)",
			` (reason: {{ . | first | label "reason" }})`, "source"),
		"{changes}", c.query("max(increase(servicegroup_member_transitions_total{these}[15m])) > 0",
			`: about {{ . | first | value | printf "%.0f" }} deaths and recoveries`, "source", "group", "member"),
		"{last known}", c.query("max(last_over_time(servicegroup_group_last_known_timestamp_seconds{these}[1h])) > 0",
			" It was last known at "+asTime+".", "source", "group"),
		"{targets}", c.query("count(up{these})", " of {{ . | first | value }}", "job"),
		"{targets up}", c.query("sum(up{these})", "{{ . | first | value }}", "job"),
		"{last scrape}", c.query(lastScrape, " It was last scraped at "+asTime+".", "job", "instance"),
		"{last scrape of all}", c.query(lastScrape, " The last scrape that succeeded was at "+asTime+".", "job"),
		"{last post}", c.query(lastPost, " The last request that succeeded was at "+asTime+".", "alertmanager"),
		"{last post of all}", c.query(lastPost, " The last request that succeeded was at "+asTime+".", "job", "instance"),
		"{dropped}", c.query("sum(increase(servicegroup_notifications_dropped_total{these}[15m])) > 0",
			` About {{ . | first | value | printf "%.0f" }} notifications were dropped within 15 minutes.`, "alertmanager"),
		"{alertmanagers}", c.query("count(servicegroup_notifications_alertmanager_up{these})", " of {{ . | first | value }}", "job", "instance"),
		"{cause}", c.query("servicegroup_member_down_cause{these} == 1", causeTemplate, "source", "group", "member"),
		"{confirmed}", c.query("count(servicegroup_member_down{these} == 1) > 0", isConfirmed+"{{ else }}"+isSuspected, "host"),
		"{on hosts}", c.query("max(servicegroup_zone_hosts{these})", " on {{ . | first | value }} hosts", "source", "zone"),
		"{services}", c.query(services, servicesTemplate, "host"),
		"{loaded}", c.query("max(servicegroup_config_last_reload_success_timestamp_seconds{these})", ", of "+asTime, "job", "instance"),
	}
}

// Sentences about a host that is down, and about the cause of a death.
const (
	isConfirmed = "This is confirmed: at least one of them is down by the rule of its service."
	isSuspected = "This is suspected: none of them is down by the rule of its service yet."

	ofProcess = " The process died and not its host: another service on the host has reported since."
	ofHost    = " Its host is down."
	ofUnknown = " It is not known whether its host is down: no other service on the host shows that."

	causeTemplate = `{{ $cause := . | sortByLabel "cause" | first | label "cause" }}{{ if eq $cause "process" }}` + ofProcess +
		`{{ else if eq $cause "host" }}` + ofHost + `{{ else }}` + ofUnknown + `{{ end }}`

	// The result of a query has no order. A sort keeps the order of elements that are equal to it.
	servicesTemplate = ` Gone are {{ range $i, $service := . | sortByLabel "binary" | sortByLabel "group" | sortByLabel "source" }}{{ if $i }}, {{ end }}` +
		`{{ with $service | label "binary" }}{{ . }}{{ else }}{{ $service | label "group" }}{{ end }} ({{ $service | label "source" }}` +
		`{{ if gt ($service | value) 1.0 }}, {{ $service | value }} members{{ end }}){{ end }}.`
)

// query returns the template that shows the result of an expression, if it has one. In the expression, {these} stands for matchers
// of the alert's cluster and of these labels of the alert.
func (c alerting) query(expr, shown string, labels ...string) string {
	labels = append([]string{c.ClusterLabel}, labels...)
	expr = strings.ReplaceAll(expr, "{these}", "{"+strings.Join(labels, "=%q,")+"=%q}")
	return fmt.Sprintf("{{ with printf %q $labels.%s | query }}%s{{ end }}", expr, strings.Join(labels, " $labels."), shown)
}

// Facts are the numbers of an alert of the bridge.
type Facts struct {
	// Since is the last proof of life of a member that is down; zero: none is known.
	Since time.Time `json:"since,omitzero"`
	// InService is how many members of the group or the source are in service, and Down is how many of these are down.
	InService int `json:"in_service,omitempty"`
	Down      int `json:"down,omitempty"`
	// Hosts is on how many hosts the members of a zone run.
	Hosts int `json:"hosts,omitempty"`
	// Cause is why a member is down; empty: it is not decided, as for a member without a host.
	Cause hosts.Cause `json:"cause,omitempty"`
	// Confirmed reports that a member on a host that is down is down by the rule of its service, and Services are what ran on that
	// host, sorted by source, group and binary.
	Confirmed bool      `json:"confirmed,omitempty"`
	Services  []Service `json:"services,omitempty"`
}

// A Service is the members in service on a host that have the same source, group and binary.
type Service struct {
	Source  string `json:"source"`
	Group   string `json:"group"`
	Binary  string `json:"binary,omitempty"`
	Members int    `json:"members"`
}

// word returns what stands for a word in the description of an alert that the bridge posts.
func (f *Facts) word(id *ID, word string) string {
	switch word {
	case "binary":
		return around(" (", id.Binary, ")")
	case "zone":
		return around(", zone ", id.Zone, ",")
	case "since":
		if f.Since.IsZero() {
			return ""
		}
		return " since " + f.Since.UTC().Format(timeFormat)
	case "value":
		return strconv.Itoa(f.value(id.Alert))
	case "cause":
		return map[hosts.Cause]string{hosts.CauseProcess: ofProcess, hosts.CauseHost: ofHost, hosts.CauseUnknown: ofUnknown}[f.Cause]
	case "confirmed":
		if f.Confirmed {
			return isConfirmed
		}
		return isSuspected
	case "services":
		return f.services()
	case "on hosts":
		return fmt.Sprintf(" on %d hosts", f.Hosts)
	default: // "of group" and "of source"
		return " of " + strconv.Itoa(f.InService)
	}
}

// services returns the sentence that says which services are gone.
func (f *Facts) services() string {
	var names []string
	for _, s := range f.Services {
		members := ""
		if s.Members > 1 {
			members = fmt.Sprintf(", %d members", s.Members)
		}
		names = append(names, fmt.Sprintf("%s (%s%s)", cmp.Or(s.Binary, s.Group), s.Source, members))
	}
	return around(" Gone are ", strings.Join(names, ", "), ".")
}

// value returns the value of the expression of an alert about a group or a source.
func (f *Facts) value(alert string) int {
	if alert == BelowMinimum {
		return f.InService - f.Down
	}
	return f.Down
}

// around returns a text with something before and after it, or nothing for an empty text.
func around(before, text, after string) string {
	if text == "" {
		return ""
	}
	return before + text + after
}
