package bridge

import (
	"flag"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/config"
)

var histories = flag.Uint64("histories", 25, "number of random histories of TestRandomHistories")

const historyConfig = `
severities: {ServiceGroupDegraded: warning}
groups:
  - {source: nova, group: compute, min_members: 2, degraded_ratio: 0.5}
  - {source: nova, group: conductor, min_members: 1}
  - {group: web, severity: warning}
`

// TestRandomHistories lets members hang, die, recover and leave, lets exporters fail, and compares at each minute the alerts that fire by
// the rules with the alerts that fire by the bridge, with all labels. The difference may be one evaluation, and what "for" and
// "keep_firing_for" of the rule explain. For two exporters, the bridge gets the snapshots as docs/alerting.md combines them.
//
// The rules get the series of the collector. Each history has another value of the label cluster, so that all of
// them fit into one Prometheus.
func TestRandomHistories(t *testing.T) {
	c := config.DefaultAlerting()
	require.NoError(t, yaml.Unmarshal([]byte(historyConfig), &c))
	require.NoError(t, c.Validate())
	var records []*record
	byCluster := map[string]*history{}
	began := time.Now()
	for seed := range *histories {
		h := randomHistory(seed)
		r := runHistory(t, h, c)
		byCluster[r.cluster] = h
		records = append(records, r)
	}
	t.Logf("%d histories took %s", len(records), time.Since(began))
	fired := map[string]int{}
	for _, r := range records {
		for _, a := range r.alerts {
			fired[alerts.BaseName(a.name)]++
		}
	}
	t.Logf("alerts that fired: %v", fired)
	require.NotZero(t, fired[alerts.MemberSuspected])
	require.NotZero(t, fired[alerts.HostDown])
	began = time.Now()
	wrong := compareWithRules(t, &c, records)
	t.Logf("the rules took %s", time.Since(began))
	shown := 0
	for cluster, what := range wrong {
		if shown++; shown > 3 {
			break
		}
		h := byCluster[cluster]
		if shown == 1 {
			h, what = smallest(t, h, &c)
		}
		t.Errorf("%s\n%s", h, strings.Join(what, "\n"))
	}
	require.Empty(t, wrong, "%d of %d histories", len(wrong), len(records))
}

// smallest leaves out of a history whatever it can without making it right, and returns what is wrong with the rest.
func smallest(t *testing.T, h *history, c *config.Alerting) (*history, []string) {
	t.Helper()
	wrong := func(h *history) []string {
		for _, what := range compareWithRules(t, c, []*record{runHistory(t, h, *c)}) {
			return what
		}
		return nil
	}
	what := wrong(h)
	try := func(change func(h *history)) bool {
		next := *h
		next.events, next.members = slices.Clone(h.events), slices.Clone(h.members)
		change(&next)
		if less := wrong(&next); less != nil {
			h, what = &next, less
			return true
		}
		return false
	}
	for size := len(h.events) / 2; size > 0; size /= 2 {
		for i := 0; i+size <= len(h.events); {
			if !try(func(h *history) { h.events = slices.Delete(h.events, i, i+size) }) {
				i += size
			}
		}
	}
	for i := 0; i < len(h.members); {
		if !try(func(h *history) { h.members = slices.Delete(h.members, i, i+1) }) {
			i++
		}
	}
	return h, what
}
