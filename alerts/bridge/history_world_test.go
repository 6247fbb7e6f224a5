package bridge

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/collector"
	"servicegroup_exporter/collector/tracker"
	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
)

const (
	historyJob = "servicegroup_exporter"
	// remembered is how long the rules use the last scrape of an exporter that can't be scraped.
	remembered = time.Hour
)

// A world is a history under way.
type world struct {
	t         *testing.T
	history   *history
	alerting  *config.Alerting
	sources   []string
	backends  map[string]*backend
	exporters []*exporter
	gone      []*target // that exporters had before they got another name
	record    *record
	dir       string
}

// An exporter is a collector and a bridge that read all sources, or nothing while it does not run.
type exporter struct {
	number    int
	target    *target
	dir       string // of its state
	collector *collector.Collector
	bridge    *Bridge
	setup     *Setup
	waiting   map[alerts.ID]time.Time // since when this process has found a condition that must last before its alert fires
	lasted    map[alerts.ID]bool      // those that have lasted for long enough, also before a restart
}

// A target is what Prometheus knows of an exporter.
type target struct {
	instance string
	listed   bool // by service discovery
	running  bool
	scraped  time.Time            // when it was last scraped
	last     []collector.Snapshot // what that scrape showed
}

// runHistory runs a history in fake time. It returns the series that Prometheus scrapes, and the alerts that bridges fire.
func runHistory(t *testing.T, h *history, alerting config.Alerting) *record {
	t.Helper()
	w := &world{
		t: t, history: h, alerting: &alerting, backends: map[string]*backend{},
		record: newRecord(h), dir: t.TempDir(),
	}
	alerting.ExternalLabels = map[string]string{"cluster": w.record.cluster}
	synctest.Test(t, func(t *testing.T) {
		w.t = t
		w.begin()
		start := time.Now()
		for minute := range historyMinutes {
			time.Sleep(time.Until(start.Add(time.Duration(minute) * time.Minute)))
			for i := range h.events {
				if e := &h.events[i]; e.minute == minute {
					w.happen(e)
				}
			}
			w.scrape(minute)
		}
	})
	return w.record
}

func (w *world) begin() {
	for _, m := range w.history.members {
		w.backend(m.source).happen(&happening{what: joins, memberName: m}, time.Now())
	}
	for _, e := range w.history.events {
		if e.source != "" {
			w.backend(e.source)
		}
	}
	for i := range w.history.exporters {
		e := &exporter{number: i, dir: filepath.Join(w.dir, strconv.Itoa(i)), lasted: map[alerts.ID]bool{}}
		e.target = &target{instance: fmt.Sprintf("e%d", i+1), listed: true}
		w.exporters = append(w.exporters, e)
		w.start(e)
	}
}

func (w *world) backend(source string) *backend {
	if w.backends[source] == nil {
		w.backends[source] = newBackend(source, w.history.exporters)
		w.sources = append(w.sources, source)
	}
	return w.backends[source]
}

func (w *world) happen(h *happening) {
	if h.source != "" {
		w.backends[h.source].happen(h, time.Now())
		return
	}
	e := w.exporters[h.exporter]
	switch h.what {
	case stops:
		w.stop(e)
	case starts:
		w.start(e)
	case forgets:
		w.stop(e)
		require.NoError(w.t, os.RemoveAll(e.dir))
		clear(e.lasted)
		w.start(e)
	case replaced:
		e.target.listed, e.target.running = false, false
		w.gone = append(w.gone, e.target)
		e.target = &target{instance: e.target.instance + "x", listed: true, running: e.collector != nil}
	case removed, added:
		e.target.listed = h.what == added
	default:
		require.Fail(w.t, "unknown happening", "%s", h)
	}
}

// start starts an exporter with the state that it saved when it stopped.
func (w *world) start(e *exporter) {
	if e.collector != nil {
		return
	}
	c, err := collector.New(collector.Options{StoragePath: e.dir})
	require.NoError(w.t, err)
	var configs []collector.SourceConfig
	for _, name := range w.sources {
		driver := backendDriver{w.backends[name], e.number}
		configs = append(configs, collector.SourceConfig{
			Name: name, Fingerprint: name, ExpectedGroups: w.alerting.ExpectedGroups(name),
			Suspicion: tracker.Suspicion{Enabled: true, Margin: 10 * time.Second},
			Open:      func() (drivers.Driver, error) { return driver, nil },
		})
	}
	require.NoError(w.t, c.Apply(configs))
	b, err := New(Options{
		Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Collector: c, StoragePath: e.dir,
	})
	require.NoError(w.t, err)
	setup, err := b.Prepare(w.alerting)
	require.NoError(w.t, err)
	e.collector, e.bridge, e.setup, e.target.running, e.waiting = c, b, setup, true, map[alerts.ID]time.Time{}
}

func (w *world) stop(e *exporter) {
	if e.collector == nil {
		return
	}
	require.NoError(w.t, e.collector.Close())
	require.NoError(w.t, e.bridge.file.write(e.bridge.state.saved()))
	e.collector, e.target.running = nil, false
}

// scrape scrapes all exporters a second after each other, and notes what Prometheus gets and which alerts the bridges fire.
func (w *world) scrape(minute int) {
	for _, e := range w.exporters {
		target := e.target.labels(w.record.cluster)
		if e.target.listed {
			w.record.sample(minute, "up", target, b2f(e.target.running))
		}
		if e.target.running {
			e.collector.Poll(context.Background())
			e.bridge.step(e.setup, nil)
			e.wait()
		}
		if e.target.isScraped() {
			e.target.scraped, e.target.last = time.Now(), e.collector.Snapshots()
			w.record.scrape(minute, e.collector, target)
		}
		time.Sleep(time.Second)
	}
	w.note(minute)
}

// note notes the alerts that fire.
func (w *world) note(minute int) {
	builder := alerts.NewBuilder(w.alerting)
	seen := w.seen()
	firing := evaluate(combine(w.sources, seen), builder)
	maps.DeleteFunc(firing, func(id alerts.ID, _ condition) bool {
		return id.Alert == alerts.HostDown || id.Alert == alerts.ZoneDown
	})
	for _, id := range append(combineHosts(seen), combineZones(seen)...) {
		firing[id] = condition{}
	}
	for id := range firing {
		w.record.firing(minute, builder.Build(id, alerts.Facts{}).Labels)
	}
	if e := w.exporters[0]; len(seen) == 1 && seen[0].isScraped() && seen[0] == e.target {
		var want, got []alerts.ID
		for id := range firing {
			if e.lasted[id] {
				want = append(want, id)
			}
		}
		for id, entry := range e.bridge.state.entries {
			// After a restart, an alert about a host fires until a member on it has reported, and one about a problem until its source
			// can be read.
			_, holds := firing[id]
			isKept := id.Alert == alerts.HostDown || id.Alert == alerts.SourceProblem && e.isUnread(id.Source)
			if entry.over.IsZero() && (holds || !isKept) {
				got = append(got, id)
			}
		}
		require.ElementsMatch(w.t, want, got, "minute %d of %s", minute, w.history)
	}
}

func b2f(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func (t *target) isScraped() bool { return t.listed && t.running }

// labels returns the labels that Prometheus adds to the series of a target.
func (t *target) labels(cluster string) string {
	return fmt.Sprintf("cluster=%q,instance=%q,job=%q", cluster, t.instance, historyJob)
}

// seen returns the targets that count: those that are scraped, and then those that were scraped until a short time ago.
func (w *world) seen() []*target {
	targets := slices.Clone(w.gone)
	for _, e := range w.exporters {
		targets = append(targets, e.target)
	}
	slices.SortStableFunc(targets, func(a, b *target) int { return int(b2f(b.isScraped()) - b2f(a.isScraped())) })
	return slices.DeleteFunc(targets, func(t *target) bool {
		return !t.isScraped() && time.Since(t.scraped) > remembered+time.Minute/2
	})
}

// combine returns what several exporters together say, as docs/alerting.md has it.
func combine(sources []string, seen []*target) []collector.Snapshot {
	var combined []collector.Snapshot
	for _, source := range sources {
		combined = append(combined, combineSource(source, seen))
	}
	return combined
}

// A view is a group as one exporter sees it.
type view struct {
	collector.GroupState

	now             bool // it is not only remembered
	down, suspected map[string]collector.MemberState
}

func combineSource(source string, seen []*target) collector.Snapshot {
	groups := map[string][]view{}
	for _, t := range seen {
		for i := range t.last {
			s := &t.last[i]
			if s.Source != source {
				continue
			}
			for _, g := range s.Groups {
				v := view{
					GroupState: g, now: t.isScraped(), down: map[string]collector.MemberState{}, suspected: map[string]collector.MemberState{},
				}
				for _, m := range s.Members {
					switch {
					case m.Group == g.Name && m.DecidedDown:
						v.down[m.Name] = m
					case m.Group == g.Name && m.Suspected:
						v.suspected[m.Name] = m
					}
				}
				groups[g.Name] = append(groups[g.Name], v)
			}
		}
	}
	combined := collector.Snapshot{Source: source}
	combined.Problems, combined.Readable = combineProblems(source, seen)
	for _, views := range groups {
		g, members := combineGroup(views)
		combined.Groups = append(combined.Groups, g)
		combined.Members = append(combined.Members, members...)
	}
	return combined
}

// combineProblems returns the problems that the exporters see which are scraped: those that can read the source, or else all.
func combineProblems(source string, seen []*target) (problems []drivers.Problem, isReadable bool) {
	byReadable := map[bool][]drivers.Problem{}
	for _, t := range seen {
		for i := range t.last {
			if s := &t.last[i]; s.Source == source && t.isScraped() {
				byReadable[s.Readable] = append(byReadable[s.Readable], s.Problems...)
				isReadable = isReadable || s.Readable
			}
		}
	}
	return byReadable[isReadable], isReadable
}

// combineGroup combines the views of a group: if some know it, a member is down if all of them say so, and suspected if one of them says
// so; else the newest knowledge counts.
func combineGroup(views []view) (collector.GroupState, []collector.MemberState) {
	var knowing []view
	for _, v := range views {
		if v.now && v.Known {
			knowing = append(knowing, v)
		}
	}
	g := collector.GroupState{Name: views[0].Name, Known: len(knowing) > 0}
	if g.Known {
		g.Down = knowing[0].Down
		for _, v := range knowing {
			g.InService, g.Down, g.LastKnown = max(g.InService, v.InService), min(g.Down, v.Down), v.LastKnown
		}
		return g, append(downInAll(knowing), suspectedInAny(knowing)...)
	}
	newest := slices.MaxFunc(views, func(a, b view) int { return a.LastKnown.Compare(b.LastKnown) })
	newest.Known = false
	return newest.GroupState, append(downInAll([]view{newest}), suspectedInAny([]view{newest})...)
}

func suspectedInAny(views []view) []collector.MemberState {
	var suspected []collector.MemberState
	for _, v := range views {
		for _, m := range v.suspected {
			suspected = append(suspected, m)
		}
	}
	return suspected
}

func downInAll(views []view) []collector.MemberState {
	var down []collector.MemberState
	for name, m := range views[0].down {
		if !slices.ContainsFunc(views, func(v view) bool { _, ok := v.down[name]; return !ok }) {
			down = append(down, m)
		}
	}
	return down
}

// scrape notes the series of an exporter that rules read.
func (r *record) scrape(minute int, c *collector.Collector, target string) {
	eachSeries(c, func(metric, labels string, value float64) {
		if isRead(metric) {
			r.sample(minute, metric, labels+","+target, value)
		}
	})
}

// isRead returns whether rules of the alerts that the bridge posts read a metric.
func isRead(name string) bool {
	switch name {
	case "servicegroup_zone_members_down", "servicegroup_zone_members_in_service", "servicegroup_zone_hosts", "servicegroup_source_last_success_timestamp_seconds",
		"servicegroup_host_up", "servicegroup_host_down_since_timestamp_seconds", "servicegroup_host_silent_member_timestamp_seconds",
		"servicegroup_member_suspected", "servicegroup_member_suspected_since_timestamp_seconds",
		"servicegroup_member_down", "servicegroup_member_down_since_timestamp_seconds", "servicegroup_members_down", "servicegroup_members_in_service",
		"servicegroup_group_known", "servicegroup_group_last_known_timestamp_seconds", "servicegroup_source_up", "servicegroup_source_problems":
		return true
	}
	return false
}
