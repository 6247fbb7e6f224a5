package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"html/template"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// A demoAlert is an alert as it is posted to Alertmanager.
type demoAlert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	GeneratorURL string            `json:"generatorURL"`
	Start        time.Time         `json:"startsAt"`
	End          time.Time         `json:"endsAt"`
	Updated      time.Time         `json:"updatedAt"` // the last post

	Received time.Time `json:"-"` // the first post
}

// Fires reports whether the alert has not ended.
func (a *demoAlert) Fires() bool { return a.End.After(time.Now()) }

// name returns group and member.
func (a *demoAlert) name() string {
	if member := a.Labels["member"]; member != "" {
		return a.Labels["group"] + "/" + member
	}
	return cmp.Or(a.Labels["group"], a.Labels["source"])
}

// resolveTimeout is how long an alert fires that is posted without an end: Alertmanager's default.
const resolveTimeout = 5 * time.Minute

// maxDemoAlerts is how many alerts the demonstration keeps.
const maxDemoAlerts = 50

// A demoAlertmanager takes the place of Alertmanager in the demonstration: it receives alerts, and shows them on a page. It
// notifies no person.
type demoAlertmanager struct {
	listener net.Listener
	changed  chan demoAlert // alerts that began or ended

	mu     sync.Mutex
	alerts []*demoAlert // newest first
}

func newDemoAlertmanager(ctx context.Context) (*demoAlertmanager, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &demoAlertmanager{listener: listener, changed: make(chan demoAlert, 100)}, nil
}

// url returns the address of its page.
func (m *demoAlertmanager) url() string { return "http://" + m.listener.Addr().String() + "/" }

// run serves until ctx ends.
func (m *demoAlertmanager) run(ctx context.Context) error {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v2/alerts", m.receive)
	mux.HandleFunc("GET /api/v2/alerts", func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, m.firing()) })
	mux.HandleFunc("GET /api/v2/status", func(w http.ResponseWriter, _ *http.Request) {
		answerJSON(w, map[string]any{"versionInfo": map[string]string{"version": "demo"}})
	})
	mux.HandleFunc("GET /{$}", m.page)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.Serve(m.listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func answerJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // The program that has asked went away.
}

func (m *demoAlertmanager) receive(w http.ResponseWriter, r *http.Request) {
	var posted []*demoAlert
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&posted); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range posted {
		m.keep(a)
	}
}

// keep keeps an alert in place of an earlier post of it. The caller holds the lock.
func (m *demoAlertmanager) keep(a *demoAlert) {
	a.Received = time.Now()
	a.Updated = a.Received
	if a.End.IsZero() {
		a.End = a.Received.Add(resolveTimeout)
	}
	i := slices.IndexFunc(m.alerts, func(b *demoAlert) bool { return b.name() == a.name() && b.Labels["alertname"] == a.Labels["alertname"] })
	var known *demoAlert
	if i >= 0 {
		known = m.alerts[i]
	}
	switch {
	case known != nil && known.Fires():
		a.Received = known.Received
		m.alerts[i] = a
	case a.Fires():
		if known != nil {
			m.alerts = slices.Delete(m.alerts, i, i+1)
		}
		m.alerts = slices.Insert(m.alerts, 0, a)
		m.alerts = m.alerts[:min(len(m.alerts), maxDemoAlerts)]
	default:
		return // Its end was known.
	}
	if known == nil || known.Fires() != a.Fires() {
		select {
		case m.changed <- *a:
		default: // The terminal is slow. The page has the alert.
		}
	}
}

// firing returns the alerts that fire.
func (m *demoAlertmanager) firing() []*demoAlert {
	m.mu.Lock()
	defer m.mu.Unlock()
	firing := []*demoAlert{}
	for _, a := range m.alerts {
		if a.Fires() {
			firing = append(firing, a)
		}
	}
	return firing
}

func (m *demoAlertmanager) page(w http.ResponseWriter, _ *http.Request) {
	m.mu.Lock()
	alerts := slices.Clone(m.alerts)
	m.mu.Unlock()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	// The page is parsed at each request, because that is rare.
	_ = template.Must(template.New("alerts").Parse(demoPage)).Execute(w, alerts) // The browser went away.
}

// printDemoAlert prints that an alert has begun or ended.
func (p *eventPrinter) printDemoAlert(a *demoAlert) error {
	what := "alert"
	if !a.Fires() {
		what = "alert_end"
	}
	return p.line(time.Now(), what, a.name(), a.Labels["alertname"]+" severity="+a.Labels["severity"])
}

const demoPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="2">
<title>Alerts of the demonstration</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff }
li { margin: 0 0 1.5rem } .firing b { color: #b00020 } .resolved b { color: #146c2e } small { color: #555 }
</style>
<h1>Alerts that were posted to Alertmanager</h1>
<p>This page takes the place of Alertmanager in the demonstration. A real one would now notify a person.</p>
{{ if not . }}<p>No alert has been posted yet. A member dies within a few seconds.</p>{{ end }}
<ul>
{{ range . }}<li class="{{ if .Fires }}firing{{ else }}resolved{{ end }}"><b>{{ if .Fires }}firing{{ else }}resolved{{ end }}</b>
{{ .Labels.alertname }} ({{ .Labels.severity }}): {{ .Annotations.summary }}<br>
{{ .Annotations.description }}<br>
<small>Posted at {{ .Received.Format "15:04:05.000" }} · <a href="{{ .GeneratorURL }}">status page</a> · <a href="{{ .Annotations.runbook_url }}">runbook</a><br>
{{ range $name, $value := .Labels }}{{ $name }}="{{ $value }}" {{ end }}</small></li>
{{ end }}</ul>
</html>
`
