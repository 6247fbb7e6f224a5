package evaluators

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"servicegroup_exporter/internal/testserver"
)

// A receiver takes alerts as Alertmanager does, and records when each began and ended.
type receiver struct {
	*httptest.Server

	mu     sync.Mutex
	firing map[string]bool // by all labels, in the form of identify
	events []event
}

// An event is that an alert began or ended.
type event struct {
	time   time.Time
	alert  string
	firing bool
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{firing: map[string]bool{}}
	r.Server = httptest.NewServer(http.HandlerFunc(r.receive))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) receive(w http.ResponseWriter, request *http.Request) {
	var alerts []testserver.Alert
	if err := json.NewDecoder(request.Body).Decode(&alerts); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range alerts {
		id, firing := identify(a.Labels), a.EndsAt.After(now)
		if a.Labels["alertname"] != watchdog && r.firing[id] != firing {
			r.firing[id] = firing
			r.events = append(r.events, event{now, id, firing})
		}
	}
}

// identify returns the labels of an alert as one text.
func identify(labels map[string]string) string {
	var text []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		text = append(text, name+"="+labels[name])
	}
	return strings.Join(text, ",")
}

// alerts returns the alerts that fire, sorted.
func (r *receiver) alerts() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	alerts := maps.Clone(r.firing)
	maps.DeleteFunc(alerts, func(_ string, firing bool) bool { return !firing })
	return slices.Sorted(maps.Keys(alerts))
}

// eventsSince returns the events after the first n.
func (r *receiver) eventsSince(n int) []event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events[n:])
}
