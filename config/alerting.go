package config

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/suggest"
)

// Alerting is the section "alerting": what the rules and the bridge to Alertmanager share.
type Alerting struct {
	// Alertmanagers are the Alertmanagers that the bridge posts to. Empty: there is no bridge.
	Alertmanagers []Alertmanager `yaml:"alertmanagers"`

	// ExternalLabels are the external_labels of prometheus.yml, which Prometheus adds to alerts that lack them.
	ExternalLabels map[string]string `yaml:"external_labels"`
	// DropLabels are the labels that alert_relabel_configs of prometheus.yml drop, such as "replica".
	DropLabels []string `yaml:"drop_labels"`
	// Labels are added to every alert, for example the team that is responsible.
	Labels map[string]string `yaml:"labels"`
	// ClusterLabel is the label that tells clusters apart whose series are in one Prometheus. It need not exist.
	ClusterLabel string `yaml:"cluster_label"`
	// HostLabel is one more label with the host of a dead member, for alerts about hosts that have this label and not "host".
	// Empty: alerts do not have "host" either.
	HostLabel string `yaml:"host_label"`

	// HostQuery is a PromQL expression that says which hosts answer. Its result has the label host: 1 for a host that answers, 0 for one
	// that does not. Empty: nothing is asked.
	HostQuery string `yaml:"host_query"`
	// Prometheus is a server that the bridge asks for the result of HostQuery, for alerts and pages; nil: no Prometheus is asked.
	Prometheus *Alertmanager `yaml:"prometheus"`

	// ExternalURL is the URL of this program for browsers, GrafanaURL that of a Grafana with the dashboards of this program.
	// Without GrafanaURL, links lead to the status page.
	ExternalURL string `yaml:"external_url"`
	GrafanaURL  string `yaml:"grafana_url"`

	// Selector has the matchers of the series that the rules are about, as in PromQL without braces. Empty: the configured
	// sources.
	Selector string `yaml:"selector"`
	// Job is the name of the scrape job in prometheus.yml. ScrapeInterval and EvaluationInterval are its intervals.
	Job                string           `yaml:"job"`
	ScrapeInterval     drivers.Duration `yaml:"scrape_interval"`
	EvaluationInterval drivers.Duration `yaml:"evaluation_interval"`

	// KeepFiringFor is how long alerts about a member or a group keep firing after its recovery.
	KeepFiringFor drivers.Duration `yaml:"keep_firing_for"`
	// ResendInterval is the time after which the bridge posts a firing alert again. Alertmanager's group_interval must be more
	// than twice as long.
	ResendInterval drivers.Duration `yaml:"resend_interval"`
	// ResolveAfter is how long a member must be up before the bridge resolves its alert. "never" leaves that to the rules.
	ResolveAfter DurationOrNever `yaml:"resolve_after"`

	// OmitAlerts are the names of alerts that are left out.
	OmitAlerts []string `yaml:"omit_alerts"`
	// Severities has other severities than the defaults, by the names of the alerts.
	Severities map[string]string `yaml:"severities"`
	// Groups has the settings of single groups. No group has two.
	Groups []AlertGroup `yaml:"groups"`

	// PageConfirmedHosts reports that the setting "page" of the section "hosts" is confirmed.
	PageConfirmedHosts bool `yaml:"-"`
}

// AlertGroup has the settings of the alerts of one group.
type AlertGroup struct {
	// Source is the name of a declared source; empty: any source. The name of a source with nova_conf includes all of its
	// cells.
	Source string `yaml:"source"`
	// Group is the group's name.
	Group string `yaml:"group"`

	// Severity is the severity of ServiceGroupMemberDown; empty: the same as for other groups.
	Severity string `yaml:"severity"`
	// SuspectedSeverity is the severity of ServiceGroupMemberSuspected; empty: the same as for other groups.
	SuspectedSeverity string `yaml:"suspected_severity"`
	// MinMembers is how many members must be up and in service; zero: any number.
	MinMembers int `yaml:"min_members"`
	// DegradedRatio is the share of the members in service that must be down for ServiceGroupDegraded, more than 0
	// and at most 1; zero: the default of package alerts.
	DegradedRatio float64 `yaml:"degraded_ratio"`
}

// minResend prevents that a wrong unit floods Alertmanager.
const minResend = time.Second

// DefaultAlerting returns the section of a file that does not have it.
func DefaultAlerting() Alerting {
	return Alerting{
		DropLabels:         []string{"replica", "prometheus_replica"},
		ClusterLabel:       "cluster",
		HostLabel:          "host",
		HostQuery:          defaultHostQuery,
		ExternalURL:        "http://localhost:10199",
		Job:                "servicegroup_exporter",
		ScrapeInterval:     drivers.Duration(time.Minute),
		EvaluationInterval: drivers.Duration(time.Minute),
		KeepFiringFor:      drivers.Duration(2 * time.Minute),
		ResendInterval:     drivers.Duration(10 * time.Second),
		ResolveAfter:       Never,
	}
}

// RulesLag returns the longest time until the rules see the result of a poll.
func (a *Alerting) RulesLag() time.Duration {
	return time.Duration(a.ScrapeInterval + a.EvaluationInterval)
}

// Validate returns every mistake as a [drivers.FieldError], joined.
func (a *Alerting) Validate() error {
	var errs []error
	wrong := func(field, format string, args ...any) { errs = append(errs, drivers.Field(field, format, args...)) }
	a.validateLabels(wrong)
	a.validateTimes(wrong)
	for field, link := range map[string]string{"external_url": a.ExternalURL, "grafana_url": a.GrafanaURL} {
		if link == "" && field == "grafana_url" {
			continue
		}
		if !isWebURL(link) {
			wrong(field, "%s is not a URL like https://alerts.example.com/path, without a user and a query", quoteURL(link))
		}
	}
	if a.Job == "" || hasTemplate(a.Job) {
		wrong("job", "%s is not a job_name of prometheus.yml", suggest.Quote(a.Job))
	}
	a.validateSelector(wrong)
	knownAlert := func(field, name string) {
		if !slices.Contains(AlertNames(), name) {
			wrong(field, "%w", suggest.NotOneOf(name, AlertNames()))
		}
	}
	for i, name := range a.OmitAlerts {
		knownAlert(fmt.Sprintf("omit_alerts[%d]", i), name)
	}
	for name, severity := range a.Severities {
		knownAlert("severities."+name, name)
		if !goodSeverity(severity) {
			wrong("severities."+name, "%w", suggest.NotOneOf(severity, Severities()))
		}
	}
	for i := range a.Groups {
		a.Groups[i].validate(fmt.Sprintf("groups[%d].", i), wrong)
		for j := range i {
			if a.Groups[i].overlaps(&a.Groups[j]) {
				wrong(fmt.Sprintf("groups[%d].group", i), "groups[%d] has settings for this group already", j)
			}
		}
	}
	a.validateAlertmanagers(wrong)
	a.validateHostQuery(wrong)
	return errors.Join(errs...)
}

// A wrongFunc adds a mistake of a setting.
type wrongFunc func(field, format string, args ...any)

func (a *Alerting) validateTimes(wrong wrongFunc) {
	if a.ScrapeInterval <= 0 {
		wrong("scrape_interval", "is %s, must be positive", a.ScrapeInterval)
	}
	if a.EvaluationInterval <= 0 {
		wrong("evaluation_interval", "is %s, must be positive", a.EvaluationInterval)
	}
	if time.Duration(a.ResendInterval) < minResend {
		wrong("resend_interval", "is %s, must be at least %s", a.ResendInterval, minResend)
	}
	lag := 2 * a.RulesLag()
	if after := time.Duration(a.ResolveAfter); a.ResolveAfter != Never && after != 0 && after < lag {
		wrong("resolve_after", "is %s, must be never, or at least %s (twice the sum of scrape_interval and evaluation_interval), so that "+
			"the rules have stopped firing; or 0s, if no Prometheus loads the rules", a.ResolveAfter, lag)
	}
}

func (a *Alerting) validateAlertmanagers(wrong wrongFunc) {
	for i := range a.Alertmanagers {
		path := fmt.Sprintf("alertmanagers[%d]", i)
		if err := a.Alertmanagers[i].Validate(); err != nil {
			for _, e := range fieldErrors(path, err) {
				wrong(e.Field, "%w", e.Err)
			}
			continue
		}
		for j := range i {
			if a.Alertmanagers[i].Name() == a.Alertmanagers[j].Name() {
				wrong(path+".url", "is the URL of alertmanagers[%d], too", j)
			}
		}
	}
}

// labelName matches the label names that every version of Prometheus accepts, and the reserved ones among them.
var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

func goodLabel(name string) bool {
	return labelName.MatchString(name) && !strings.HasPrefix(name, "__")
}

// ownLabels returns the labels that alerts always have.
func (a *Alerting) ownLabels() []string {
	own := []string{"alertname", "source", "group", "member", "severity", "scope"}
	if a.HostLabel != "" {
		own = append(own, "host", a.HostLabel)
	}
	return own
}

// exporterLabels returns the labels that tell alerts about this program apart.
func exporterLabels() []string { return []string{"job", "instance", "alertmanager", "label"} }

func (a *Alerting) validateLabels(wrong wrongFunc) {
	for field, labels := range map[string]map[string]string{"external_labels": a.ExternalLabels, "labels": a.Labels} {
		for name, value := range labels {
			switch {
			case !goodLabel(name):
				wrong(field+"."+name, "is not a label name: it must have letters, digits and _, no digit first, and not begin with __")
			// A rule's labels replace the labels of the expression. A rule fails if two of its alerts then have equal labels.
			case slices.Contains(a.ownLabels(), name), field == "labels" && slices.Contains(exporterLabels(), name):
				wrong(field+"."+name, "alerts have a label %q of their own", name)
			case !isPlain(value):
				wrong(field+"."+name, "%s is not plain text of one line", suggest.Quote(value))
			}
		}
	}
	for i, name := range a.DropLabels {
		if slices.Contains(a.ownLabels(), name) {
			wrong(fmt.Sprintf("drop_labels[%d]", i), "without label %q alerts can't be told apart", name)
		}
	}
	if !goodLabel(a.ClusterLabel) || slices.Contains(append(a.ownLabels(), exporterLabels()...), a.ClusterLabel) {
		wrong("cluster_label", "%s is not a label name that alerts don't have already", suggest.Quote(a.ClusterLabel))
	}
	if a.HostLabel != "" && (!goodLabel(a.HostLabel) || slices.Contains(a.ownLabels()[:6], a.HostLabel)) {
		wrong("host_label", "%s is not a label name that alerts don't have already, or empty", suggest.Quote(a.HostLabel))
	}
}

func (g *AlertGroup) validate(path string, wrong wrongFunc) {
	if g.Group == "" || !utf8.ValidString(g.Group) {
		wrong(path+"group", "%s is not the name of a group", suggest.Quote(g.Group))
	}
	for key, severity := range map[string]string{"severity": g.Severity, "suspected_severity": g.SuspectedSeverity} {
		if severity != "" && !goodSeverity(severity) {
			wrong(path+key, "%w", suggest.NotOneOf(severity, Severities()))
		}
	}
	if g.MinMembers < 0 {
		wrong(path+"min_members", "is %d, must not be negative", g.MinMembers)
	}
	if !(g.DegradedRatio >= 0 && g.DegradedRatio <= 1) { // Written so that NaN is refused too.
		wrong(path+"degraded_ratio", "is %v, must be more than 0 and at most 1", g.DegradedRatio)
	}
	if g.Severity == "" && g.SuspectedSeverity == "" && g.MinMembers == 0 && g.DegradedRatio == 0 {
		wrong(path+"group", "nothing is set for this group: set severity, suspected_severity, min_members or degraded_ratio")
	}
}

// Severities returns the values that the label severity may have.
func Severities() []string { return []string{"critical", "warning", "info", "none"} }

func goodSeverity(s string) bool { return slices.Contains(Severities(), s) }

// AlertNames returns the names of all alerts, which package alerts defines.
func AlertNames() []string {
	return []string{
		"ServiceGroupZoneDown",
		"ServiceGroupHostDown",
		"ServiceGroupMemberDown",
		"ServiceGroupMemberSuspected",
		"ServiceGroupMemberFlapping",
		"ServiceGroupMemberAutoDisabled",
		"ServiceGroupMemberDisabledLong",
		"ServiceGroupMemberForcedDownLong",
		"ServiceGroupHeartbeatClockSkew",
		"ServiceGroupDegraded",
		"ServiceGroupOutage",
		"ServiceGroupBelowMinimum",
		"ServiceGroupDataMissing",
		"ServiceGroupMassFailure",
		"ServiceGroupHeartbeatsStalled",
		"ServiceGroupSourceUnreachable",
		"ServiceGroupViewStale",
		"ServiceGroupMembersUnknown",
		"ServiceGroupMembersRejected",
		"ServiceGroupSourceProblem",
		"ServiceGroupSourceClockSkew",
		"ServiceGroupDetectionSlow",
		"ServiceGroupCanaryFailing",
		"ServiceGroupStateNotSaved",
		"ServiceGroupStateNotLoaded",
		"ServiceGroupExporterDown",
		"ServiceGroupExporterAllDown",
		"ServiceGroupExporterAbsent",
		"ServiceGroupJobMismatch",
		"ServiceGroupLabelsOverwritten",
		"ServiceGroupConfigReloadFailed",
		"ServiceGroupEventsDropped",
		"ServiceGroupBridgePushFailing",
		"ServiceGroupBridgeAllFailing",
		"ServiceGroupBridgeLabelMismatch",
		"ServiceGroupWatchdog",
	}
}

// Fits reports whether the settings are for a group of a source. The source of a Nova cell is named by the declared source,
// a slash and the cell.
func (g *AlertGroup) Fits(source, group string) bool {
	return g.Group == group && (g.Source == "" || g.Source == source || strings.HasPrefix(source, g.Source+"/"))
}

// ExpectedGroups returns the groups that must exist in a source, because the configuration names the source and sets a
// minimum of members for them. If such a group does not exist, it has too few members.
func (a *Alerting) ExpectedGroups(source string) []string {
	var groups []string
	for i := range a.Groups {
		if g := &a.Groups[i]; g.Source == source && g.MinMembers > 0 {
			groups = append(groups, g.Group)
		}
	}
	return groups
}

// overlaps reports whether both settings may be for the same group.
func (g *AlertGroup) overlaps(other *AlertGroup) bool {
	return g.Group == other.Group &&
		(g.Source == "" || other.Source == "" || g.Fits(other.Source, g.Group) || other.Fits(g.Source, g.Group))
}

// isPlain reports whether a text reaches Alertmanager unchanged. The YAML of rules does not keep every line break.
func isPlain(s string) bool {
	return utf8.ValidString(s) && !hasTemplate(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsGraphic(r) })
}

// hasTemplate reports whether Prometheus would expand the text.
func hasTemplate(s string) bool { return strings.Contains(s, "{{") }

// quoteURL returns a URL in quotation marks, or words for one that may have a password.
func quoteURL(text string) string {
	if strings.ContainsAny(text, "@?#") {
		return "the value"
	}
	return suggest.Quote(text)
}

func isWebURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil &&
		u.RawQuery == "" && u.Fragment == "" && !hasTemplate(s)
}

// A DurationOrNever is a duration, or [Never].
type DurationOrNever drivers.Duration

// Never is longer than any duration.
const Never DurationOrNever = -1

// UnmarshalText parses a duration or the word never.
func (d *DurationOrNever) UnmarshalText(text []byte) error {
	if string(text) == "never" {
		*d = Never
		return nil
	}
	return (*drivers.Duration)(d).UnmarshalText(text)
}

// MarshalText returns the text that UnmarshalText parses.
func (d DurationOrNever) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String returns the duration with its unit, or "never".
func (d DurationOrNever) String() string {
	if d == Never {
		return "never"
	}
	return drivers.Duration(d).String()
}
