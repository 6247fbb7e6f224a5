package api

import (
	"time"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/alerts/bridge"
)

// Alerts is what the API needs from the bridge to Alertmanager.
type Alerts interface {
	Firing(want func(alerts.ID) bool, offset, limit int64) bridge.Firing
	// HostAnswers returns a function that says, without waiting, whether a host answers by another way than heartbeats: "yes", "no" or
	// "unknown". Nil: no Prometheus is asked.
	HostAnswers() func(host string) string
}

// An alert is an alert that fires by the decision of the bridge, as the API returns it.
type alert struct {
	Alert         string            `json:"alertname"`
	Severity      string            `json:"severity"`
	Source        string            `json:"source"`
	Group         string            `json:"group"`
	Member        string            `json:"member"`
	Runbook       string            `json:"runbook"` // the name of the page below /runbooks/
	Labels        map[string]string `json:"labels"`
	Annotations   map[string]string `json:"annotations"`
	Since         time.Time         `json:"since"`
	RetainedSince *time.Time        `json:"retained_since"` // null: the condition can be evaluated, and holds
	Deliveries    []delivery        `json:"deliveries"`     // one for each Alertmanager
}

// A delivery is what is known of an alert in one Alertmanager.
type delivery struct {
	Alertmanager string   `json:"alertmanager"`
	State        string   `json:"state"`
	Error        string   `json:"error,omitempty"`
	Known        bool     `json:"known"` // whether the Alertmanager has said which of its alerts are suppressed
	SilencedBy   []string `json:"silenced_by"`
	InhibitedBy  []string `json:"inhibited_by"`
	MutedBy      []string `json:"muted_by"`
	AlertURL     string   `json:"alert_url"`
	SilenceURL   string   `json:"silence_url"` // of the form for a new silence
	SilenceURLs  []string `json:"silence_urls"`
}

// An alertmanagerState is an Alertmanager that the bridge posts to.
type alertmanagerState struct {
	Alertmanager string `json:"alertmanager"`
	Error        string `json:"error,omitempty"`
}

type alertsAnswer struct {
	Sends         bool                `json:"sends"`
	GrafanaURL    string              `json:"grafana_url"`
	Alertmanagers []alertmanagerState `json:"alertmanagers"`
	Total         int                 `json:"total"`
	Alerts        []alert             `json:"alerts"`
}

// defaultAlerts is how many alerts an answer has at most, unless the client asks for another limit.
const defaultAlerts = 1000

func (a *api) alerts(q query) (any, error) {
	if _, err := a.asked(q); err != nil {
		return nil, err
	}
	offset, limit, err := q.window(defaultAlerts)
	if err != nil {
		return nil, err
	}
	f := newFilter(q, nil)
	firing := a.Alerts.Firing(f.MatchesAlert, offset, limit)
	answer := alertsAnswer{
		Sends: firing.Sends, GrafanaURL: firing.GrafanaURL, Total: firing.Total,
		Alertmanagers: []alertmanagerState{}, Alerts: make([]alert, len(firing.Alerts)),
	}
	for _, r := range firing.Alertmanagers {
		answer.Alertmanagers = append(answer.Alertmanagers, alertmanagerState{r.Name, r.Failure})
	}
	for i := range firing.Alerts {
		answer.Alerts[i] = newAlert(&firing.Alerts[i], firing.Alertmanagers)
	}
	return answer, nil
}

func newAlert(f *bridge.FiringAlert, receivers []bridge.Receiver) alert {
	shown := alert{
		Alert: f.Alert.Labels["alertname"], Severity: f.Alert.Labels["severity"],
		Source: f.ID.Source, Group: f.ID.Group, Member: f.ID.Member, Runbook: f.ID.Alert,
		Labels: f.Alert.Labels, Annotations: f.Alert.Annotations,
		Since: f.Alert.Start.UTC(), RetainedSince: timeOrNil(f.RetainedSince), Deliveries: make([]delivery, len(f.Places)),
	}
	for i := range f.Places {
		p := &f.Places[i]
		shown.Deliveries[i] = delivery{
			Alertmanager: receivers[i].Name, State: string(p.Delivery), Error: p.Reason, Known: p.Known,
			SilencedBy: list(p.SilencedBy), InhibitedBy: list(p.InhibitedBy), MutedBy: list(p.MutedBy),
			AlertURL: p.AlertURL, SilenceURL: p.NewSilenceURL, SilenceURLs: list(p.SilenceURLs),
		}
	}
	return shown
}

// list returns a list that JSON has as an array, also if it is empty.
func list(texts []string) []string {
	if texts == nil {
		return []string{}
	}
	return texts
}
