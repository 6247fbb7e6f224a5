package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"servicegroup_exporter/web/api"
)

// follow reads the stream of events, and comes back with the last event's ID when it breaks off.
func (w *watcher) follow(ctx context.Context, url string, client *http.Client) {
	for ctx.Err() == nil {
		w.stream(ctx, url+"/api/v1/events/stream", client)
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// stream reads the stream until it breaks off.
func (w *watcher) stream(ctx context.Context, url string, client *http.Client) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return // The address is our own.
	}
	if w.lastID != "" {
		request.Header.Set("Last-Event-ID", w.lastID)
	}
	response, err := client.Do(request)
	if err != nil {
		return
	}
	defer response.Body.Close()
	w.read(response.Body)
}

// read reads server-sent events until they break off.
func (w *watcher) read(stream io.Reader) {
	var id, event string
	for lines := bufio.NewScanner(stream); lines.Scan(); {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch field {
		case "id":
			id = value
		case "event":
			event = value
		case "data":
			if event != "poll" {
				w.add(value)
			}
		case "":
			w.lastID, event = id, ""
		}
	}
}

func (w *watcher) add(text string) {
	var e api.Event
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		e.Error = fmt.Sprintf("an event that is none: %v", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

// listed gives the events that the exporter itself still has.
func (l *lab) listed() []api.Event {
	var answer struct{ Events []api.Event }
	l.ask("/api/v1/events?limit=1000", &answer)
	return answer.Events
}

// version names the backend's server, as the exporter does.
func (l *lab) version() string {
	var answer struct {
		Sources []struct{ Driver, Backend string }
	}
	l.ask("/api/v1/sources", &answer)
	s := answer.Sources[0]
	if s.Driver == "zk" {
		return "ZooKeeper " + s.Backend
	}
	return s.Backend
}

// ask asks the exporter's API.
func (l *lab) ask(path string, answer any) {
	response, err := (&http.Client{Timeout: scrapeTimeout}).Get("http://" + l.web + path)
	if err != nil {
		l.Fatalf("asking the exporter: %v", err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
		l.Fatalf("%s: %v", path, err)
	}
}
