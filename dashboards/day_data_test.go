package dashboards_test

import (
	"bufio"
	"cmp"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// The day has 48 outages of ten minutes, in each of which another few hosts die with both of their members. In the last outage all of these
// hosts die, and it lasts until the day ends.
const (
	dayHosts   = 5_000
	dayMembers = 2 * dayHosts
	dayDead    = 250 // hosts
	dayOutages = 48
	// Minutes: from one outage to the next, from the end of one to the start of the next, and in which the exporter says who recovered.
	dayPeriod, dayQuiet, dayAfter = 30, 20, 60
	dayMinutes                    = dayOutages * dayPeriod
	// blockMinutes is the length of Prometheus' blocks.
	blockMinutes = 120
)

// dayStart is midnight: Prometheus aligns its blocks to multiples of their length.
var dayStart = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

const dayConfig = `
sources:
  - name: cloud
    driver: db
    db:
      dsn: sqlite:///%s
      service_down_time: 1h
      schema: custom
      custom: {table: members, group: topic, name: host, binary: binary, zone: zone, heartbeat: [beat], heartbeat_unit: milliseconds,
        disabled: disabled, disabled_reason: reason}
alerting:
  alertmanagers: [{url: %q}]
`

// The states of the cloud on that day, in the order in which they were seen.
const (
	atRest = iota
	inOutage
	recovered
	dayPhases
)

// makeDay writes the blocks of a day to a folder. The series and their values come from a Prometheus that scrapes two real exporters, and
// evaluates the shipped rules, before, in and after an outage.
func makeDay(b *testing.B, folder string) {
	b.Helper()
	series := seriesOfDay(b, daySnapshots(b))
	b.Logf("%d series in %d minutes", len(series), dayMinutes)
	file := filepath.Join(b.TempDir(), "block")
	for from := 0; from < dayMinutes; from += blockMinutes {
		writeBlock(b, file, series, from)
		made, err := exec.CommandContext(b.Context(), testserver.Promtool(b), "tsdb", "create-blocks-from", "openmetrics", "--quiet", file, folder).CombinedOutput()
		require.NoError(b, err, "%s", made)
	}
}

// daySnapshots returns what Prometheus has in each phase.
func daySnapshots(b *testing.B) [dayPhases][]series {
	b.Helper()
	dir := b.TempDir()
	path := filepath.Join(dir, "members.db")
	c := &cloud{t: b, db: openTable(b, path)}
	c.sql("CREATE TABLE members (topic TEXT, host TEXT, binary TEXT, zone TEXT, beat INTEGER, disabled INTEGER, reason TEXT)")
	for _, group := range []string{"compute", "agent"} {
		c.sql(`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)
			INSERT INTO members SELECT ?, printf('node-%05d.cloud.example.com', i), 'service-' || ?, 'az' || (i % 3), ?, i % 100 = 99,
				iif(i % 100 = 99, 'new disk', '') FROM n`, dayHosts, group, group, time.Now().UnixMilli())
	}
	am := testserver.Alertmanager(b, "route: {receiver: none}\nreceivers: [{name: none}]\n")
	file := filepath.Join(dir, "exporter.yml")
	require.NoError(b, os.WriteFile(file, fmt.Appendf(nil, dayConfig, path, am.URL()), 0o600))
	rules, err := filepath.Abs(rulesFile)
	require.NoError(b, err)
	exporters := []*exporter{startExporter(b, file, filepath.Join(dir, "first")), startExporter(b, file, filepath.Join(dir, "second"))}
	prom := testserver.Prometheus(b, fmt.Sprintf(`
global: {scrape_interval: 5s, evaluation_interval: 5s}
rule_files: [%q]
scrape_configs:
  - job_name: servicegroup_exporter
    honor_labels: true
    static_configs: [{targets: [%q, %q]}]
`, rules, exporters[0].address, exporters[1].address))
	defer func() { // They would take time from what is measured.
		prom.Stop()
		am.Stop()
		for _, e := range exporters {
			e.stop()
		}
	}()

	var phases [dayPhases][]series
	see := func(phase int, expr string) {
		eventually(b, expr, func() bool { return len(prom.Query(expr)) > 0 })
		phases[phase] = (&view{t: b, prom: prom, end: time.Now()}).run(nil, target{Expr: `{__name__=~".+"}`, Instant: true})
	}
	allUp := fmt.Sprintf(`count(service_up == 1) == %d`, 2*dayMembers)
	see(atRest, allUp+` and on () ALERTS{alertname="ServiceGroupWatchdog"}`)
	c.sql("UPDATE members SET beat = 0 WHERE host IN (SELECT DISTINCT host FROM members WHERE disabled = 0 LIMIT ?)", dayDead)
	see(inOutage, fmt.Sprintf(`count(ALERTS{alertname="ServiceGroupMemberDown"}) == %d`, 2*dayDead))
	c.sql("UPDATE members SET beat = ?", time.Now().UnixMilli())
	see(recovered, allUp)
	return phases
}

// A daySeries is a series with its value in each phase: NaN if it does not exist then.
type daySeries struct {
	text    string // as Prometheus writes it
	values  [dayPhases]float64
	outages outages
	counter bool
	clock   bool // the values are differences from the time
	current bool // only the last block has it
}

// onlyCurrent are the metrics of all members and hosts of which dashboards read the current value, or the values of one member. Earlier samples
// of those that never die would take half of the time to make, and none to query: Prometheus opens no block that a query does not need.
var onlyCurrent = []string{
	"servicegroup_member_info", "servicegroup_member_enabled", "servicegroup_member_forced_down", "servicegroup_member_state_change_timestamp_seconds",
	"servicegroup_member_last_heartbeat_timestamp_seconds", "servicegroup_host_up", "servicegroup_host_suspected",
}

// seriesOfDay returns the series of all phases.
func seriesOfDay(b *testing.B, phases [dayPhases][]series) []*daySeries {
	b.Helper()
	dead := map[string]outages{}
	for _, s := range phases[inOutage] {
		if host := s.labels["host"]; s.labels["__name__"] == "servicegroup_host_up" && s.values[0] == 0 && dead[host] == 0 {
			dead[host] = outages(len(dead)%dayOutages + 1)
		}
	}
	require.Len(b, dead, dayDead)
	all := map[string]*daySeries{}
	for phase, results := range phases {
		for _, s := range results {
			text, value := textOf(s.labels), s.values[0]
			if all[text] == nil {
				all[text] = newDaySeries(text, s.labels, dead)
			}
			if all[text].clock {
				value -= s.times[0]
			}
			all[text].values[phase] = value
		}
	}
	return slices.Collect(maps.Values(all))
}

func newDaySeries(text string, labels map[string]string, dead map[string]outages) *daySeries {
	name := labels["__name__"]
	endsWith := func(suffixes ...string) bool {
		return slices.ContainsFunc(suffixes, func(suffix string) bool { return strings.HasSuffix(name, suffix) })
	}
	s := &daySeries{
		text: text, counter: endsWith("_total", "_count", "_sum", "_bucket"), outages: allOutages,
		clock: endsWith("_heartbeat_timestamp_seconds", "_last_success_timestamp_seconds", "_last_known_timestamp_seconds"),
	}
	for phase := range s.values {
		s.values[phase] = math.NaN()
		if s.counter {
			s.values[phase] = 0
		}
	}
	// Members have the names of their hosts, with a domain.
	if host, _, _ := strings.Cut(cmp.Or(labels["host"], labels["member"]), "."); host != "" {
		s.outages = dead[host]
		s.current = s.outages == 0 && slices.Contains(onlyCurrent, name)
	}
	return s
}

func textOf(labels map[string]string) string {
	var text strings.Builder
	text.WriteString(labels["__name__"])
	separator := byte('{')
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if name != "__name__" {
			text.WriteByte(separator)
			text.WriteString(name + "=" + strconv.Quote(labels[name]))
			separator = ','
		}
	}
	if separator == ',' {
		text.WriteByte('}')
	}
	return text.String()
}

// outages are the outages in which a series changes: one and the last one if it is of a host that dies, none (0), or all.
type outages int

const allOutages = outages(dayOutages + 1)

// until returns the phase of a minute, and how often members had died and recovered until then.
func (o outages) until(minute int) (phase, deaths, recoveries int) {
	began := int(o-1)*dayPeriod + dayQuiet
	ended := began + dayPeriod - dayQuiet
	switch o {
	case 0:
		return atRest, 0, 0
	case allOutages:
		deaths, recoveries = (minute+dayPeriod-dayQuiet)/dayPeriod, minute/dayPeriod
		ended = dayMinutes // Some host has always recovered.
	default:
		deaths, recoveries = atLeast(minute, began), atLeast(minute, ended)
		if o != dayOutages {
			deaths += atLeast(minute, dayMinutes-dayPeriod+dayQuiet)
		}
	}
	switch {
	case deaths > recoveries:
		return inOutage, deaths, recoveries
	case recoveries > 0 && minute < ended+dayAfter:
		return recovered, deaths, recoveries
	default:
		return atRest, deaths, recoveries
	}
}

func atLeast(minute, from int) int {
	if minute >= from {
		return 1
	}
	return 0
}

// at returns the value of the series in a minute.
func (s *daySeries) at(minute int) float64 {
	phase, deaths, recoveries := s.outages.until(minute)
	switch value := s.values[phase]; {
	case s.counter:
		return s.values[atRest] + float64(deaths)*(s.values[inOutage]-s.values[atRest]) +
			float64(recoveries)*(s.values[recovered]-s.values[inOutage])
	case s.clock:
		return value + float64(dayTime(minute))
	default:
		return value
	}
}

func dayTime(minute int) int64 { return dayStart.Unix() + int64(60*minute) }

// writeBlock writes the samples of a block in the OpenMetrics format.
func writeBlock(b *testing.B, path string, series []*daySeries, from int) {
	b.Helper()
	file, err := os.Create(path)
	require.NoError(b, err)
	defer file.Close()
	w := bufio.NewWriterSize(file, 1<<20)
	var line []byte
	for _, s := range series {
		if s.current && from+blockMinutes < dayMinutes {
			continue
		}
		for minute := from; minute < from+blockMinutes; minute++ {
			value := s.at(minute)
			if math.IsNaN(value) {
				continue
			}
			line = append(append(line[:0], s.text...), ' ')
			line = strconv.AppendFloat(line, value, 'g', -1, 64)
			line = strconv.AppendInt(append(line, ' '), dayTime(minute), 10)
			_, err := w.Write(append(line, '\n'))
			require.NoError(b, err)
		}
	}
	_, err = w.WriteString("# EOF\n")
	require.NoError(b, err)
	require.NoError(b, w.Flush())
}
