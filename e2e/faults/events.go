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

// follow reads the stream of events. When it ends, follow reconnects with the ID of the last event.
func (w *watcher) follow(ctx context.Context, url string, client *http.Client) {
	for ctx.Err() == nil {
		w.stream(ctx, url+"/api/v1/events/stream", client)
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// stream reads the stream until it ends.
func (w *watcher) stream(ctx context.Context, url string, client *http.Client) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return // This can't happen: the URL is valid.
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

// read reads server-sent events until the stream ends.
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
		e.Error = fmt.Sprintf("parsing an event: %v", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

// listed returns the events that the API of the exporter lists.
func (env *environment) listed() []api.Event {
	var answer struct{ Events []api.Event }
	env.ask("/api/v1/events?limit=1000", &answer)
	return answer.Events
}

// version returns the name and version of the backend's server, as the exporter reports them.
func (env *environment) version() string {
	var answer struct {
		Sources []struct{ Driver, Backend string }
	}
	env.ask("/api/v1/sources", &answer)
	s := answer.Sources[0]
	if s.Driver == "zk" {
		return "ZooKeeper " + s.Backend
	}
	return s.Backend
}

// ask decodes a response of the exporter's API.
func (env *environment) ask(path string, answer any) {
	response, err := (&http.Client{Timeout: scrapeTimeout}).Get("http://" + env.web + path)
	if err != nil {
		env.Fatalf("requesting the exporter's API: %v", err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
		env.Fatalf("%s: %v", path, err)
	}
}
