// Package api is the HTTP API: sources, groups, members and events as JSON, a stream of events, the ServiceGroup calls, and
// targets for Prometheus' service discovery. openapi.yaml describes it.
//
// The API reads the snapshots of the last polls and never polls: an answer is as old as the last poll of its source.
package api

import (
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"servicegroup_exporter/collector"
	"servicegroup_exporter/internal/suggest"
)

// Collector is what the API needs from a collector.
type Collector interface {
	Snapshots() []collector.Snapshot
	Detection() []collector.Detection
}

// Options are what the API needs from the rest of the program. All are required.
type Options struct {
	Logger    *slog.Logger
	Collector Collector
	History   *History
	Alerts    Alerts
}

// specification is the OpenAPI file. Tests validate every answer against it.
//
//go:embed openapi.yaml
var specification []byte

const (
	// maxStreams bounds the concurrent streams of events.
	maxStreams = 100
	// maxAnswers bounds all other concurrent answers, and maxLong those among them that are sent in parts. Clients that read
	// slowly can therefore block long answers, but never short ones.
	maxAnswers = 100
	maxLong    = 40
	// answerTimeout is how long a client may take to read an answer. A slow client occupies a slot, and keeps a snapshot in
	// memory that later polls have replaced.
	answerTimeout = time.Minute
)

// An api answers requests.
type api struct {
	Options
	streams      chan struct{} // has one element for each stream in progress
	answers      chan struct{} // has one element for each other answer in progress
	long         chan struct{} // has one element for each long answer in progress
	writeTimeout time.Duration // of streams
}

// A route is one path of the API.
type route struct {
	path   string   // a pattern of http.ServeMux
	params []string // the query parameters that it takes
	answer func(query) (any, error)
	write  func(http.ResponseWriter, *http.Request, query) error // instead of answer, for answers that are not JSON
}

// New returns the handler of everything below /api/ and /sd/.
func New(o Options) http.Handler { return newAPI(o).mux() }

func newAPI(o Options) *api {
	return &api{
		Options: o, streams: make(chan struct{}, maxStreams), answers: make(chan struct{}, maxAnswers),
		long: make(chan struct{}, maxLong), writeTimeout: streamWriteTimeout,
	}
}

func (a *api) mux() http.Handler {
	mux := http.NewServeMux()
	var paths []string
	for _, r := range a.routes() {
		mux.Handle(r.path, a.handler(r))
		paths = append(paths, r.path)
	}
	// For people, so that it is not among the paths.
	mux.Handle("/api/{$}", a.handler(route{path: "/api/", write: a.fixed("text/html; charset=utf-8", renderReference)}))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		a.fail(w, r, notFound("the path %s does not exist, the paths are %s%s", r.URL.Path, strings.Join(paths, ", "), suggest.Hint(r.URL.Path, paths)))
	})
	return mux
}

func (a *api) routes() []route {
	return []route{
		{path: "/api/v1/sources", answer: a.sources},
		{path: "/api/v1/groups", params: []string{"source"}, answer: a.groups},
		{path: "/api/v1/members", params: []string{"source", "group", "state", "q", "limit", "offset"}, answer: a.members},
		{path: "/api/v1/member", params: []string{"source", "group", "member"}, answer: a.member},
		{path: "/api/v1/hosts", params: []string{"host", "zone", "state", "certainty", "q", "limit", "offset"}, answer: a.hosts},
		{path: "/api/v1/hosts.schema.json", write: a.fixed(schemaType, renderHostsSchema)},
		{path: "/api/v1/host-down-webhook.schema.json", write: a.fixed(schemaType, embedded(hostDownWebhook))},
		{path: "/api/v1/alerts", params: []string{"source", "group", "member", "host", "limit", "offset"}, answer: a.alerts},
		{path: "/api/v1/events", params: []string{"source", "group", "member", "host", "after", "limit"}, answer: a.events},
		{path: "/api/v1/events/stream", params: []string{"source", "group", "member", "after"}, write: a.streamEvents},
		{path: "/api/v1/detection", params: []string{"source", "group"}, answer: a.detection},
		{path: "/api/v1/get-all", params: []string{"source", "group"}, answer: a.getAll},
		{path: "/api/v1/get-one", params: []string{"source", "group"}, answer: a.getOne},
		{path: "/api/v1/is-up", params: []string{"source", "group", "member", "status"}, answer: a.isUp},
		{path: "/api/v1/openapi.yaml", write: a.fixed("application/yaml", embedded(specification))},
		{path: "/sd/{group...}", params: []string{"source", "port", "all", labelPrefix + anyName}, answer: a.discover},
	}
}

// handler returns the handler of a route, which checks the request before it is answered.
func (a *api) handler(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			a.fail(w, r, &statusError{http.StatusMethodNotAllowed, fmt.Errorf("%s only answers GET and HEAD", rt.path)})
			return
		}
		q, err := parseQuery(r, rt.params)
		switch {
		case err != nil:
		case rt.write != nil:
			err = rt.write(w, r, q)
		default:
			err = a.answer(w, r, rt, q)
		}
		if err != nil {
			a.fail(w, r, q.asStatus(err))
		}
	})
}

// answer answers with JSON, unless there are too many concurrent answers.
func (a *api) answer(w http.ResponseWriter, r *http.Request, rt route, q query) error {
	select {
	case a.answers <- struct{}{}:
		defer func() { <-a.answers }()
	default:
		return unavailable("%d answers are in progress already", maxAnswers)
	}
	if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("setting the write deadline: %w", err)
	}
	answer, err := rt.answer(q)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if up, ok := answer.(isUpAnswer); ok && q["status"] == statusHTTP {
		status = up.status()
	}
	a.respond(w, r, status, answer)
	return nil
}
