package cli

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/promslog"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/app"
	"servicegroup_exporter/collector"
	"servicegroup_exporter/internal/testserver"
	"servicegroup_exporter/web"
)

var update = flag.Bool("update", false, "write the reference in docs anew instead of comparing with it")

// The reference pages match what the program declares.
func TestReference(t *testing.T) {
	for file, text := range map[string]string{
		"../docs/reference/metrics.md": metricsReference(t),
		"../docs/reference/flags.md":   flagsReference(),
	} {
		if *update {
			require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
		}
		want, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, string(want), text, "make generate writes %s anew", file)
	}
}

// A metric is a row of the reference.
type metric struct{ name, kind, labels, help string }

// A recorder keeps the registered collectors, because descriptors don't have the types of metrics.
type recorder struct{ collectors []prometheus.Collector }

func (r *recorder) Register(c prometheus.Collector) error {
	r.collectors = append(r.collectors, c)
	return nil
}

func (r *recorder) MustRegister(all ...prometheus.Collector) {
	r.collectors = append(r.collectors, all...)
}

func (r *recorder) Unregister(prometheus.Collector) bool { return false }

// begun reports whether all counters by reason have series.
func (r *recorder) begun(t *testing.T) bool {
	t.Helper()
	for _, c := range r.collectors {
		descs := make(chan *prometheus.Desc, 1000)
		c.Describe(descs)
		close(descs)
		for desc := range descs {
			if strings.Contains(desc.String(), ",reason}") && len(reasonsOf(t, c)) == 0 {
				return false
			}
		}
	}
	return true
}

// everything is a configuration with all features.
const everything = `
sources: [{name: a, driver: db, db: {dsn: "sqlite:///%s/a.db"}, canary: {}}]
alerting: {alertmanagers: [{url: "http://127.0.0.1:1"}]}
`

// declaredMetrics are the metrics of a server with everything switched on, sorted by name, without those that every Go
// program has.
func declaredMetrics(t *testing.T) []metric {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "everything.yml")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, everything, dir), 0o600))
	r := &recorder{}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	server, err := app.New(ctx, app.Options{
		Logger: promslog.NewNopLogger(), Registerer: r, Gatherer: prometheus.NewRegistry(),
		ConfigFile: file, StoragePath: dir, CompatOpenStackExporter: true, Web: web.DefaultSettings(),
		Listen: &toolkit.FlagConfig{WebListenAddresses: &[]string{"127.0.0.1:0"}, WebConfigFile: new("")},
	})
	require.NoError(t, err)
	// A canary's series begin with it.
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	testserver.Eventually(t, func() bool { return r.begun(t) }, 30*time.Second, 10*time.Millisecond, "all counters have series")

	var all []metric
	for _, c := range r.collectors {
		for _, desc := range descsOf(c) {
			if m := newMetric(t, c, desc); !strings.HasPrefix(m.name, "go_") && !strings.HasPrefix(m.name, "process_") {
				all = append(all, m)
			}
		}
	}
	cancel()
	require.NoError(t, <-ended)
	slices.SortFunc(all, func(a, b metric) int { return cmp.Compare(a.name, b.name) })
	return all
}

// descsOf returns the descriptors of what a prometheus.Collector emits, and of the series of members that a
// collector.Collector has beside it.
func descsOf(c prometheus.Collector) (all []*prometheus.Desc) {
	descs := make(chan *prometheus.Desc, 1000)
	c.Describe(descs)
	close(descs)
	for desc := range descs {
		all = append(all, desc)
	}
	if members, ok := c.(*collector.Collector); ok {
		for _, family := range members.Families() {
			all = append(all, prometheus.NewDesc(family.Name, family.Help, family.LabelNames, nil))
		}
	}
	return all
}

// ofMember are the labels that all metrics of a member have.
const ofMember = "`source`, `group`, `member`, `binary`, `zone`"

// newMetric parses the text of a descriptor, which has no other way to read it.
func newMetric(t *testing.T, c prometheus.Collector, desc *prometheus.Desc) metric {
	t.Helper()
	parts := regexp.MustCompile(`^Desc\{fqName: "(.*?)", help: (".*"), unit: ".*", constLabels: \{(.*)\}, variableLabels: \{(.*)\}\}$`).
		FindStringSubmatch(desc.String())
	require.NotNil(t, parts, desc.String())
	help, err := strconv.Unquote(parts[2])
	require.NoError(t, err)
	m := metric{name: parts[1], kind: kindOf(c, parts[1]), help: help}
	var labels []string
	for _, label := range regexp.MustCompile(`(\w+)="`).FindAllStringSubmatch(parts[3], -1) {
		labels = append(labels, "`"+label[1]+"`")
	}
	for label := range strings.SplitSeq(parts[4], ",") {
		if label != "" {
			labels = append(labels, "`"+label+"`")
		}
	}
	if reasons := reasonsOf(t, c); len(reasons) > 0 {
		m.help += " Reasons: " + strings.Join(reasons, ", ") + "."
	}
	m.labels = shorten(labels)
	return m
}

// shorten lists labels, those that all metrics of a member have by one name, in whatever order they are declared.
func shorten(labels []string) string {
	own := strings.Split(ofMember, ", ")
	rest := slices.DeleteFunc(slices.Clone(labels), func(label string) bool { return slices.Contains(own, label) })
	if len(labels)-len(rest) < len(own) {
		return strings.Join(labels, ", ")
	}
	return strings.Join(slices.Concat([]string{"labels of a member"}, rest), ", ")
}

// reasonsOf returns the values of the label "reason", whose series exist from the start.
func reasonsOf(t *testing.T, c prometheus.Collector) (all []string) {
	t.Helper()
	if _, ok := c.(*prometheus.CounterVec); !ok {
		return nil
	}
	series := make(chan prometheus.Metric, 1000)
	c.Collect(series)
	close(series)
	for one := range series {
		var value dto.Metric
		require.NoError(t, one.Write(&value))
		for _, label := range value.GetLabel() {
			if label.GetName() == "reason" {
				all = append(all, "`"+label.GetValue()+"`")
			}
		}
	}
	slices.Sort(all)
	return all
}

// kindOf returns the type of a metric. A metric from snapshots is a counter if its name ends in _total, otherwise a gauge,
// which the collector's own tests check.
func kindOf(c prometheus.Collector, name string) string {
	switch c.(type) {
	case *prometheus.HistogramVec, prometheus.Histogram:
		return "histogram"
	case *prometheus.GaugeVec, prometheus.Gauge:
		return "gauge"
	case *prometheus.CounterVec, prometheus.Counter:
		return "counter"
	}
	if strings.HasSuffix(name, "_total") {
		return "counter"
	}
	return "gauge"
}

// metricSections are the headings of the page and the names that belong below each: the first that matches.
func metricSections() [][2]string {
	return [][2]string{
		{"Members", `^service_up$|^servicegroup_member_`},
		{"Groups", `^servicegroup_(members$|detection_|outage_)`},
		{"Sources", `^servicegroup_(source|memory)_`},
		{"Canaries", `^servicegroup_canary_`},
		{"The bridge to Alertmanager", `^servicegroup_(notifications|alerts)_`},
		{"For rules written for openstack-exporter", `^openstack_`},
		{"The program itself", ``},
	}
}

func metricsReference(t *testing.T) string {
	t.Helper()
	var page strings.Builder
	page.WriteString(`# Metrics

<!-- Made by "make generate" from what the program registers. Change the code, not this page. -->

Every metric that the program has, as its code declares it; [what the words mean](../understand.md). Times are in seconds,
timestamps in seconds since 1970. Histograms are both classic and native. A source with ` + "`member_metrics: minimal`" + ` has
` + "`service_up`" + ` as its members' only series. The labels of a member are ` + ofMember + `.
`)
	rest := declaredMetrics(t)
	for _, section := range metricSections() {
		matches := regexp.MustCompile(section[1])
		var rows strings.Builder
		rest = slices.DeleteFunc(rest, func(m metric) bool {
			if !matches.MatchString(m.name) {
				return false
			}
			fmt.Fprintf(&rows, "| `%s` | %s | %s | %s |\n", m.name, m.kind, m.labels, inTable(m.help))
			return true
		})
		require.NotEmpty(t, rows.String(), section[0])
		fmt.Fprintf(&page, "\n## %s\n\n| metric | type | labels | meaning |\n| --- | --- | --- | --- |\n%s", section[0], rows.String())
	}
	page.WriteString("\nBeside these there are `go_*` and `process_*`, as every Go program has them. " +
		"`--web.disable-exporter-metrics` leaves\nthem out, and `promhttp_*` with them.\n")
	return page.String()
}

// inTable escapes text for a cell of a table.
func inTable(text string) string {
	return strings.NewReplacer("|", `\|`, "<", `\<`, "*", `\*`).Replace(text)
}

func flagsReference() string {
	a := &cli{Process: Process{Stdout: io.Discard, Stderr: io.Discard}}
	commands, _ := a.parser()
	model := a.kingpin.Model()
	var page strings.Builder
	page.WriteString(`# Command line

<!-- Made by "make generate" from what the program declares. Change the code, not this page. -->

    servicegroup_exporter [FLAGS] [COMMAND [FLAGS] [ARGUMENTS]]

Without a command it is ` + "`serve`" + `. A flag ` + "`--[no-]NAME`" + ` is on as ` + "`--NAME`" + ` and off as ` + "`--no-NAME`" + `.
Exit codes: 0 done, 1 failure, 2 wrong usage, 3 unknown because a source can't be read, 4 no such group or member;
` + "`is-up`" + `: 0 up, 1 down, 3 unknown, 4 no such member; ` + "`join -- CMD`" + `: the command's own.

## Every command
`)
	writeFlags(&page, model.Flags)
	for _, c := range model.Commands {
		if commands[c.FullCommand] == nil {
			continue
		}
		fmt.Fprintf(&page, "\n## `%s`\n\n%s\n", strings.Join(append([]string{c.FullCommand}, usages(c.Args)...), " "), c.Help)
		if len(c.Args) > 0 {
			page.WriteString("\n| argument | meaning |\n| --- | --- |\n")
		}
		for _, arg := range c.Args {
			fmt.Fprintf(&page, "| `%s` | %s |\n", strings.ToUpper(arg.Name), inTable(arg.Help))
		}
		writeFlags(&page, c.Flags)
	}
	return page.String()
}

// usages is how arguments are written.
func usages(args []*kingpin.ArgModel) (all []string) {
	for _, arg := range args {
		text := strings.ToUpper(arg.Name)
		switch {
		case strings.HasSuffix(arg.Help, "can be given more than once.") || arg.Name == "cmd":
			text = "[-- " + text + "…]"
		case !arg.Required:
			text = "[" + text + "]"
		}
		all = append(all, text)
	}
	return all
}

func writeFlags(page *strings.Builder, flags []*kingpin.FlagModel) {
	header := "\n| flag | default | meaning |\n| --- | --- | --- |\n"
	for _, f := range flags {
		if f.Hidden {
			continue
		}
		name := "--" + f.Name
		switch {
		case f.Name == "help" || f.Name == "version":
		case f.IsBoolFlag():
			name = "--[no-]" + f.Name
		}
		if f.Short != 0 {
			name = "-" + string(f.Short) + ", " + name
		}
		value := strings.Join(f.Default, " ")
		if value != "" {
			value = "`" + value + "`"
		}
		page.WriteString(header)
		header = ""
		fmt.Fprintf(page, "| `%s` | %s | %s |\n", name, value, inTable(f.Help))
	}
}
