package testserver

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"time"
)

// Notifications is a receiver of Alertmanager's webhooks in this process. It stores all notifications.
type Notifications struct {
	t      TB
	server *httptest.Server

	mu       sync.Mutex
	received []Notification
	arrived  chan struct{} // closed and replaced by each notification
}

// A Notification is one webhook: a group of alerts at one receiver.
type Notification struct {
	Time         time.Time         `json:"-"` // of its arrival
	Path         string            `json:"-"` // of the URL, by which tests distinguish receivers
	Body         []byte            `json:"-"` // as Alertmanager sent it
	Receiver     string            `json:"receiver"`
	Status       string            `json:"status"` // firing if any of its alerts is, otherwise resolved
	GroupKey     string            `json:"groupKey"`
	GroupLabels  map[string]string `json:"groupLabels"`
	CommonLabels map[string]string `json:"commonLabels"`
	Alerts       []NotifiedAlert   `json:"alerts"`
}

// A NotifiedAlert is an alert in a notification.
type NotifiedAlert struct {
	Alert
	Status      string `json:"status"` // firing or resolved
	Fingerprint string `json:"fingerprint"`
}

// Webhook starts a receiver of webhooks on a free loopback port. It accepts any path.
func Webhook(t TB) *Notifications {
	t.Helper()
	n := &Notifications{t: t, arrived: make(chan struct{})}
	n.server = httptest.NewServer(http.HandlerFunc(n.receive))
	t.Cleanup(n.server.Close)
	return n
}

// URL returns the receiver's base URL, without a slash at its end.
func (n *Notifications) URL() string { return n.server.URL }

// All returns all notifications, oldest first.
func (n *Notifications) All() []Notification {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.received)
}

// Wait waits until the condition is true for the notifications, and returns them. It fails the test after startTimeout, with a
// message that contains what.
func (n *Notifications) Wait(what string, condition func([]Notification) bool) []Notification {
	n.t.Helper()
	timeout := time.After(startTimeout)
	for {
		n.mu.Lock()
		received, arrived := slices.Clone(n.received), n.arrived
		n.mu.Unlock()
		if condition(received) {
			return received
		}
		select {
		case <-arrived:
		case <-timeout:
			n.t.Fatalf("no %s within %v; received: %+v", what, startTimeout, received)
			return nil
		}
	}
}

func (n *Notifications) receive(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	notification := Notification{Time: time.Now(), Path: r.URL.Path, Body: body}
	if err == nil {
		err = json.Unmarshal(body, &notification)
	}
	if err != nil {
		n.t.Logf("decoding a webhook: %v", err)
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.received = append(n.received, notification)
	close(n.arrived)
	n.arrived = make(chan struct{})
}
