package bridge

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/collector"
	"servicegroup_exporter/collector/tracker"
	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
)

// populate returns what a collector shows that has polled sources with random members, for minutes of virtual time: some are out of service,
// some are suspected, and some have names and reasons that look like templates or need quoting.
func populate(t *testing.T, c *config.Alerting, sources, groups []string) (snapshots []collector.Snapshot, page string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		polled := poll(t, c, sources, groups)
		snapshots, page = polled.Snapshots(), pageOf(polled)
		require.NoError(t, polled.Close())
	})
	return snapshots, page
}

func poll(t *testing.T, c *config.Alerting, sources, groups []string) *collector.Collector {
	t.Helper()
	random := rand.New(rand.NewPCG(2026, 11))
	polled, err := collector.New(collector.Options{})
	require.NoError(t, err)
	var configs []collector.SourceConfig
	for _, name := range sources {
		driver := randomMembers(random, name, groups)
		configs = append(configs, collector.SourceConfig{
			Name: name, ExpectedGroups: c.ExpectedGroups(name), Suspicion: tracker.Suspicion{Enabled: true, Margin: 10 * time.Second}, Open: func() (drivers.Driver, error) { return driver, nil },
		})
	}
	require.NoError(t, polled.Apply(configs))
	for range regularPolls + 4 {
		polled.Poll(context.Background())
		time.Sleep(10 * time.Second)
	}
	return polled
}

// A randomDriver forces members down that are dead, after its first poll. Some members report with each poll, and then no more.
type randomDriver struct {
	members       []drivers.Member
	dead          []int // of the members, the ones to force down
	regular, hung []int // of the members, the ones that report, and the ones of these that stop
	polls         int
}

// regularPolls is how many polls find a new heartbeat of the members that will be suspected.
const regularPolls = 6

func (d *randomDriver) Members(context.Context) (*drivers.Poll, error) {
	d.polls++
	for _, i := range d.regular {
		if d.polls <= regularPolls || !slices.Contains(d.hung, i) {
			d.members[i].LastHeartbeat = time.Now()
		}
	}
	poll := &drivers.Poll{Members: slices.Clone(d.members), Now: time.Now(), DownTime: time.Minute}
	if len(d.members)%2 == 0 {
		poll.Problems = []drivers.Problem{{Kind: drivers.ProblemForeign}, {Kind: drivers.ProblemUnreadable, Group: "g"}}
	}
	for _, i := range d.dead {
		d.members[i].ForcedDown = drivers.FlagYes
	}
	return poll, nil
}

func (*randomDriver) Close() error { return nil }

// randomMembers returns the driver of a source. Its groups share hosts, which other sources don't have, and a group that is dead has zones of
// its own.
func randomMembers(random *rand.Rand, source string, groups []string) *randomDriver {
	d := &randomDriver{}
	name := pick(random, unusualNames()...)
	for _, group := range groups {
		dying := float64(random.IntN(6)) / 5 // From none to all.
		for i := range random.IntN(10) {
			m := drivers.Member{Group: group, Name: fmt.Sprintf("%s-%d %s", name, i, source)}
			m.Up = random.Float64() >= dying
			m.Binary, m.Zone = pick(random, "", "nova-compute", `{{ $labels.zone }} {since}`), pick(random, "", "az1", strings.Repeat("ü", 100))
			if dying == 1 && m.Zone != "" {
				m.Zone = source + m.Zone
			}
			if random.IntN(2) == 0 {
				m.LastHeartbeat = time.Now().Add(-time.Duration(random.Int64N(int64(24 * time.Hour))))
			}
			if random.IntN(3) == 0 {
				m.Enabled, m.ForcedDown = pick(random, flags()...), pick(random, flags()...)
				m.DisabledReason = pick(random, "", "rack 7", "AUTO: libvirt is gone", "AUTO: libvirt:\ngone", "no AUTO: ", "auto: ")
			}
			if m.ForcedDown == drivers.FlagYes {
				m.Up = false
				if random.IntN(2) == 0 {
					m.ForcedDown = drivers.FlagNo
					d.dead = append(d.dead, len(d.members))
				}
			}
			if m.Up {
				d.regular = append(d.regular, len(d.members))
			}
			d.members = append(d.members, m)
		}
	}
	if len(d.regular) > 2 {
		d.hung = d.regular[:2] // More would be a stall.
	}
	return d
}

func unusualNames() []string {
	return []string{"c", `{{ $labels.source }}`, `"q" \n`, "a&b=c d+e%41/?#", "grün €", "<b>", "$1 ${2}"}
}

func flags() []drivers.Flag { return []drivers.Flag{drivers.FlagNone, drivers.FlagNo, drivers.FlagYes} }

func pick[T any](random *rand.Rand, choice ...T) T { return choice[random.IntN(len(choice))] }

// pageOf returns the metrics of an exporter.
func pageOf(c *collector.Collector) string {
	var page strings.Builder
	eachSeries(c, func(metric, labels string, value float64) { fmt.Fprintf(&page, "%s{%s} %g\n", metric, labels, value) })
	return page.String()
}

// eachSeries calls a function with the series of a collector: with the name of the metric, the labels as in Prometheus' text
// format, and the value.
func eachSeries(c *collector.Collector, found func(metric, labels string, value float64)) {
	metrics := make(chan prometheus.Metric)
	go func() {
		c.Collect(metrics)
		close(metrics)
	}()
	for m := range metrics {
		var out dto.Metric
		if err := m.Write(&out); err != nil {
			panic(err)
		}
		var labels []string
		for _, l := range out.Label {
			labels = append(labels, l.GetName()+"="+quote(l.GetValue()))
		}
		found(metricName(m.Desc()), strings.Join(labels, ","), out.Gauge.GetValue()+out.Counter.GetValue())
	}
	for _, family := range c.Families() {
		for labels, value := range family.Series {
			text := labels.String()
			found(family.Name, text[1:len(text)-1], value) // Without its braces.
		}
	}
}

// metricName returns the name in a description, which has no method that returns it.
func metricName(desc *prometheus.Desc) string {
	_, name, _ := strings.Cut(desc.String(), `fqName: "`)
	name, _, _ = strings.Cut(name, `"`)
	return name
}

// quote returns a label's value as in Prometheus' text format.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}
