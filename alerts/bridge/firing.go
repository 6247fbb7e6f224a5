package bridge

import (
	"cmp"
	"slices"
	"time"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/alerts/alertmanager"
	"servicegroup_exporter/config"
)

// A Firing is what fires by the decision of the bridge, for pages.
type Firing struct {
	// Sends reports that the bridge posts alerts: that the configuration has an Alertmanager.
	Sends bool
	// GrafanaURL is the URL of a Grafana with the dashboards of this program; empty: there is none.
	GrafanaURL string
	// Alertmanagers are those that the bridge posts to, in the order of the configuration: one for each address of a name.
	Alertmanagers []Receiver
	// Total is how many of the alerts that were asked for fire, and Alerts has a part of them: the most severe first, then
	// those about more than one member, then the newest.
	Total  int
	Alerts []FiringAlert
}

// A Receiver is an Alertmanager that the bridge posts to.
type Receiver struct {
	Name    string
	Failure string // why the last request failed; empty: it succeeded, or there was none
}

// A FiringAlert is an alert that fires.
type FiringAlert struct {
	ID alerts.ID
	// Alert has the labels and annotations that Alertmanagers get. Its Start is since when the alert fires.
	Alert *alertmanager.Alert
	// RetainedSince is since when the condition can't be evaluated, because the source, group or member can't be read; zero:
	// the condition holds.
	RetainedSince time.Time
	// Places has an element for each of [Firing.Alertmanagers].
	Places []Place
}

// A Place is what is known of an alert in one Alertmanager.
type Place struct {
	alertmanager.Status
	AlertURL, NewSilenceURL string   // of the pages of Alertmanager
	SilenceURLs             []string // for each of SilencedBy
}

// Firing returns the alerts that fire and that want selects: at most limit, after the first offset ones. It makes no request.
func (b *Bridge) Firing(want func(alerts.ID) bool, offset, limit int64) Firing {
	b.firing.Lock()
	setup := b.current
	var entries []entry
	for id, e := range b.state.entries {
		if e.over.IsZero() && want(id) {
			entries = append(entries, *e)
		}
	}
	b.firing.Unlock()
	f := Firing{Sends: len(setup.alertmanagers) > 0}
	if setup.builder != nil {
		f.GrafanaURL = setup.builder.GrafanaURL()
	}
	if !f.Sends {
		return f
	}
	sortFiring(entries, setup.builder)
	f.Total = len(entries)
	entries = entries[min(offset, int64(len(entries))):]
	entries = entries[:min(limit, int64(len(entries)))]
	for i := range entries {
		e := &entries[i]
		f.Alerts = append(f.Alerts, FiringAlert{ID: e.id, Alert: e.build(setup.builder), RetainedSince: e.retained})
	}
	for _, c := range setup.clients() {
		f.Alertmanagers = append(f.Alertmanagers, Receiver{c.Name(), c.Failure()})
		addPlaces(f.Alerts, c)
	}
	return f
}

// sortFiring sorts entries in the order of [Firing.Alerts].
func sortFiring(entries []entry, builder *alerts.Builder) {
	severities := config.Severities()
	rank := make(map[alerts.ID]int, len(entries))
	for i := range entries {
		rank[entries[i].id] = slices.Index(severities, builder.Severity(entries[i].id))
	}
	slices.SortFunc(entries, func(x, y entry) int {
		a, b := x.id, y.id
		return cmp.Or(cmp.Compare(rank[a], rank[b]), cmp.Compare(breadth(a), breadth(b)), y.start.Compare(x.start),
			cmp.Compare(a.Source, b.Source), cmp.Compare(a.Group, b.Group), cmp.Compare(a.Member, b.Member), cmp.Compare(a.Alert, b.Alert),
			cmp.Compare(a.Problem, b.Problem), cmp.Compare(a.Zone, b.Zone), cmp.Compare(a.Host, b.Host))
	})
}

// breadth is 0 for alerts about more than one member.
func breadth(id alerts.ID) int { return min(len(id.Member), 1) }

// addPlaces adds to each alert what is known of it in one Alertmanager.
func addPlaces(firing []FiringAlert, c *alertmanager.Client) {
	built := make([]*alertmanager.Alert, len(firing))
	for i := range firing {
		built[i] = firing[i].Alert
	}
	for i, status := range c.Statuses(built) {
		place := Place{Status: status, AlertURL: c.AlertURL(built[i]), NewSilenceURL: c.NewSilenceURL(built[i])}
		for _, id := range status.SilencedBy {
			place.SilenceURLs = append(place.SilenceURLs, c.SilenceURL(id))
		}
		firing[i].Places = append(firing[i].Places, place)
	}
}
