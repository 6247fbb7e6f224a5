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
)

// Alerting is the section "alerting": what the rules and the bridge to Alertmanager share.
type Alerting struct {
	// Alertmanagers are where the bridge posts. Empty: there is no bridge.
	Alertmanagers []Alertmanager `yaml:"alertmanagers"`

	// ExternalLabels are those of prometheus.yml, which Prometheus adds to alerts that lack them.
	ExternalLabels map[string]string `yaml:"external_labels"`
	// DropLabels are those that alert_relabel_configs of prometheus.yml drop, as that of a replica's name.
	DropLabels []string `yaml:"drop_labels"`
	// Labels are added to every alert, as the team that it belongs to.
	Labels map[string]string `yaml:"labels"`
	// HostLabel is the label of a dead member that has its name once more, so that an alert about the same host can
	// inhibit it. Empty: there is none.
	HostLabel string `yaml:"host_label"`

	// ExternalURL is where browsers reach this program, GrafanaURL where they reach Grafana with the dashboards of this
	// program. Without Grafana, links lead to the status page.
	ExternalURL string `yaml:"external_url"`
	GrafanaURL  string `yaml:"grafana_url"`

	// Job is the name of the scrape job in prometheus.yml, ScrapeInterval and EvaluationInterval are its intervals.
	Job                string           `yaml:"job"`
	ScrapeInterval     drivers.Duration `yaml:"scrape_interval"`
	EvaluationInterval drivers.Duration `yaml:"evaluation_interval"`

	// KeepFiringFor is how long alerts about a member or a group go on after it has recovered.
	KeepFiringFor drivers.Duration `yaml:"keep_firing_for"`
	// ResendInterval is how often the bridge repeats what fires. Alertmanager's group_interval has to be more than
	// twice as long.
	ResendInterval drivers.Duration `yaml:"resend_interval"`
	// ResolveAfter is how long a member has to be up before the bridge says that its alert is resolved; "never" leaves
	// that to the rules.
	ResolveAfter DurationOrNever `yaml:"resolve_after"`

	// Severities gives alerts, by name, another severity.
	Severities map[string]string `yaml:"severities"`
	// Groups are settings of single groups, each at most once.
	Groups []AlertGroup `yaml:"groups"`
}

// AlertGroup is what is different about the alerts of one group.
type AlertGroup struct {
	// Source is the name of a source in the configuration; empty: any. A source that stands for Nova as a whole has
	// all of its cells.
	Source string `yaml:"source"`
	// Group is the group's name.
	Group string `yaml:"group"`

	// Severity is that of ServiceGroupMemberDown; empty: as for any group.
	Severity string `yaml:"severity"`
	// MinMembers is how many members have to be up and in service; zero: any number.
	MinMembers int `yaml:"min_members"`
	// DegradedRatio is the share of the members in service that has to be down for ServiceGroupDegraded, more than 0
	// and at most 1; zero: the default of package alerts.
	DegradedRatio float64 `yaml:"degraded_ratio"`
}

// minResend keeps a mistyped unit from becoming a flood of posts.
const minResend = time.Second

// DefaultAlerting returns the section of a file that does not have it.
func DefaultAlerting() Alerting {
	return Alerting{
		DropLabels:         []string{"replica", "prometheus_replica"},
		HostLabel:          "host",
		ExternalURL:        "http://localhost:10199",
		Job:                "servicegroup_exporter",
		ScrapeInterval:     drivers.Duration(time.Minute),
		EvaluationInterval: drivers.Duration(time.Minute),
		KeepFiringFor:      drivers.Duration(2 * time.Minute),
		ResendInterval:     drivers.Duration(10 * time.Second),
		ResolveAfter:       Never,
	}
}

// RulesLag is how long the rules may take to see what a poll has seen.
func (a *Alerting) RulesLag() time.Duration {
	return time.Duration(a.ScrapeInterval + a.EvaluationInterval)
}

// Validate says everything that is wrong, as joined [drivers.FieldError]s.
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
			wrong(field, "must be a URL like https://alerts.example.com/path, without a query")
		}
	}
	if a.Job == "" || hasTemplate(a.Job) {
		wrong("job", "must be the job_name of prometheus.yml")
	}
	for name, severity := range a.Severities {
		if !slices.Contains(AlertNames(), name) {
			wrong("severities."+name, "there is no such alert; there are %s", strings.Join(AlertNames(), ", "))
		}
		if !goodSeverity(severity) {
			wrong("severities."+name, "must be one of %s", strings.Join(Severities(), ", "))
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
	return errors.Join(errs...)
}

// wrongFunc notes what is wrong with a setting.
type wrongFunc func(field, format string, args ...any)

func (a *Alerting) validateTimes(wrong wrongFunc) {
	if a.ScrapeInterval <= 0 {
		wrong("scrape_interval", "must be more than 0")
	}
	if a.EvaluationInterval <= 0 {
		wrong("evaluation_interval", "must be more than 0")
	}
	if time.Duration(a.ResendInterval) < minResend {
		wrong("resend_interval", "must be at least %s", minResend)
	}
	lag := 2 * a.RulesLag()
	if after := time.Duration(a.ResolveAfter); a.ResolveAfter != Never && after != 0 && after < lag {
		wrong("resolve_after", "must be never, or at least %s (twice scrape_interval and evaluation_interval), so that no "+
			"rule still fires; or 0s, if the rules are not loaded anywhere", lag)
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
				wrong(path+".url", "alertmanagers[%d] is the same", j)
			}
		}
	}
}

// labelName matches the names that labels of alerts may have in every Prometheus, and those that it reserves.
var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

func goodLabel(name string) bool {
	return labelName.MatchString(name) && !strings.HasPrefix(name, "__")
}

// ownLabels are those that alerts have by themselves.
func (a *Alerting) ownLabels() []string {
	own := []string{"alertname", "source", "group", "member", "severity", "scope"}
	if a.HostLabel != "" {
		own = append(own, a.HostLabel)
	}
	return own
}

// exporterLabels are those by which alerts about this program are told apart.
func exporterLabels() []string { return []string{"job", "instance", "alertmanager", "label"} }

func (a *Alerting) validateLabels(wrong wrongFunc) {
	for field, labels := range map[string]map[string]string{"external_labels": a.ExternalLabels, "labels": a.Labels} {
		for name, value := range labels {
			switch {
			case !goodLabel(name):
				wrong(field+"."+name, "is not the name of a label")
			// A rule's labels replace those of the expression, and a rule that then has an alert twice fails.
			case slices.Contains(a.ownLabels(), name), field == "labels" && slices.Contains(exporterLabels(), name):
				wrong(field+"."+name, "alerts have a label %q of their own", name)
			case !isPlain(value):
				wrong(field+"."+name, "must be plain text of one line")
			}
		}
	}
	for i, name := range a.DropLabels {
		if slices.Contains(a.ownLabels(), name) {
			wrong(fmt.Sprintf("drop_labels[%d]", i), "without label %q alerts can't be told apart", name)
		}
	}
	if a.HostLabel != "" && (!goodLabel(a.HostLabel) || slices.Contains(a.ownLabels()[:6], a.HostLabel)) {
		wrong("host_label", "must be the name of a label that alerts don't have by themselves, or empty")
	}
}

func (g *AlertGroup) validate(path string, wrong wrongFunc) {
	if g.Group == "" || !utf8.ValidString(g.Group) {
		wrong(path+"group", "must be the name of a group")
	}
	if g.Severity != "" && !goodSeverity(g.Severity) {
		wrong(path+"severity", "must be one of %s", strings.Join(Severities(), ", "))
	}
	if g.MinMembers < 0 {
		wrong(path+"min_members", "must not be negative")
	}
	if !(g.DegradedRatio >= 0 && g.DegradedRatio <= 1) { // Written so that NaN is refused too.
		wrong(path+"degraded_ratio", "must be more than 0 and at most 1")
	}
	if g.Severity == "" && g.MinMembers == 0 && g.DegradedRatio == 0 {
		wrong(path+"group", "nothing is set for this group: set severity, min_members or degraded_ratio")
	}
}

// Severities returns the values that the label severity may have.
func Severities() []string { return []string{"critical", "warning", "info", "none"} }

func goodSeverity(s string) bool { return slices.Contains(Severities(), s) }

// AlertNames returns the names of all alerts, which package alerts defines.
func AlertNames() []string {
	return []string{
		"ServiceGroupMemberDown",
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
		"ServiceGroupSourceClockSkew",
		"ServiceGroupDetectionSlow",
		"ServiceGroupCanaryFailing",
		"ServiceGroupExporterDown",
		"ServiceGroupExporterAllDown",
		"ServiceGroupExporterAbsent",
		"ServiceGroupConfigReloadFailed",
		"ServiceGroupBridgePushFailing",
		"ServiceGroupBridgeAllFailing",
		"ServiceGroupBridgeLabelMismatch",
		"ServiceGroupWatchdog",
	}
}

// Fits reports whether the settings are those of a group. A source that stands for Nova as a whole has its name, a slash
// and the name of a cell for the names of its cells.
func (g *AlertGroup) Fits(source, group string) bool {
	return g.Group == group && (g.Source == "" || g.Source == source || strings.HasPrefix(source, g.Source+"/"))
}

// overlaps reports whether there may be a group that both fit.
func (g *AlertGroup) overlaps(other *AlertGroup) bool {
	return g.Group == other.Group &&
		(g.Source == "" || other.Source == "" || g.Fits(other.Source, g.Group) || other.Fits(g.Source, g.Group))
}

// isPlain says whether a text reaches Alertmanager as it is: the YAML of rules does not keep every line break.
func isPlain(s string) bool {
	return utf8.ValidString(s) && !hasTemplate(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsGraphic(r) })
}

// hasTemplate says whether Prometheus would expand the text.
func hasTemplate(s string) bool { return strings.Contains(s, "{{") }

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

// MarshalText is the opposite of UnmarshalText.
func (d DurationOrNever) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String gives the duration with its unit, or never.
func (d DurationOrNever) String() string {
	if d == Never {
		return "never"
	}
	return drivers.Duration(d).String()
}
