package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"time"

	"servicegroup_exporter/web/api"
)

// scrapeInterval is the scrape interval of Prometheus.
const scrapeInterval = time.Second

// A watcher scrapes the exporter as Prometheus does, and reads its stream of events as the status page does.
type watcher struct {
	mu      sync.Mutex
	samples []sample
	events  []api.Event
	lastID  string // of the last event in the stream
}

// A sample is one scrape.
type sample struct {
	at       time.Time
	took     time.Duration
	err      error           // set if there was no response in time
	up       map[string]bool // service_up by member; members without the series are absent
	sourceUp bool
	newest   time.Time // the newest heartbeat of the source, if it has heartbeats
}

func newWatcher() *watcher { return new(watcher) }

// start watches until the environment is cleaned up.
func (w *watcher) start(env *environment) {
	ctx, stop := context.WithCancel(context.Background())
	client := &http.Client{Transport: &http.Transport{}}
	var running sync.WaitGroup
	running.Go(func() { w.scrape(ctx, "http://"+env.web, client) })
	running.Go(func() { w.follow(ctx, "http://"+env.web, client) })
	env.Cleanup(func() {
		stop()
		running.Wait()
		client.CloseIdleConnections()
	})
}

// scrape scrapes every second. A longer scrape delays the next one.
func (w *watcher) scrape(ctx context.Context, url string, client *http.Client) {
	ticker := time.NewTicker(scrapeInterval)
	defer ticker.Stop()
	for {
		s := sample{at: time.Now(), up: make(map[string]bool)}
		s.err = s.fetch(url+"/metrics", client)
		s.took = time.Since(s.at)
		w.mu.Lock()
		w.samples = append(w.samples, s)
		w.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// series matches a line of the exposition. member matches the label member.
var (
	series = regexp.MustCompile(`^(service_up|servicegroup_source_up|servicegroup_source_newest_heartbeat_timestamp_seconds)` +
		`(\{[^}]*\}) (\S+)$`)
	member = regexp.MustCompile(`[{,]member="([^"]*)"`)
)

// fetch fills the sample.
func (s *sample) fetch(url string, client *http.Client) error {
	request, err := http.NewRequest(http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", strconv.FormatFloat(scrapeTimeout.Seconds(), 'f', -1, 64))
	timed := *client
	timed.Timeout = scrapeTimeout
	response, err := timed.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the response to a scrape is %s", response.Status)
	}
	return s.parse(response.Body)
}

func (s *sample) parse(text io.Reader) error {
	lines := bufio.NewScanner(text)
	for lines.Scan() {
		match := series.FindStringSubmatch(lines.Text())
		if match == nil {
			continue
		}
		value, err := strconv.ParseFloat(match[3], 64)
		if err != nil {
			return err
		}
		switch match[1] {
		case "service_up":
			if name := member.FindStringSubmatch(match[2]); name != nil {
				s.up[name[1]] = value == 1
			}
		case "servicegroup_source_up":
			s.sourceUp = value == 1
		default:
			s.newest = time.UnixMicro(int64(value * 1e6))
		}
	}
	return lines.Err()
}

// allUp reports whether all of these members are up.
func (s *sample) allUp(names []string) bool { return s.all(names, true) }

// allDown reports whether all of these members are down.
func (s *sample) allDown(names []string) bool { return s.all(names, false) }

func (s *sample) all(names []string, up bool) bool {
	for _, name := range names {
		if now, known := s.up[name]; !known || now != up {
			return false
		}
	}
	return s.err == nil
}

// last returns the last scrape.
func (w *watcher) last() *sample {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.samples) == 0 {
		return &sample{}
	}
	return &w.samples[len(w.samples)-1]
}

// A mark is a position in what the watcher has recorded.
type mark struct {
	samples, events int
	lastID          int64 // of the last event, 0 without one
}

func (w *watcher) mark() mark {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := mark{samples: len(w.samples), events: len(w.events)}
	if m.events > 0 {
		m.lastID = w.events[m.events-1].ID
	}
	return m
}

// since returns what was recorded after a mark. The first sample is the last one before the mark.
func (w *watcher) since(m mark) ([]sample, []api.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.samples[max(m.samples-1, 0):], w.events[m.events:]
}
