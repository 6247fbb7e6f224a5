package web

import (
	"fmt"
	"net/http"
)

// The paths of the health checks.
const (
	healthyPath = "/-/healthy"
	readyPath   = "/-/ready"
)

// withoutLogin answers health checks with open and everything else with protected, which may ask for a password: Kubernetes and
// load balancers have none. The answers have a status and nothing else.
func withoutLogin(open, protected http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isHealthCheck := r.URL.Path == healthyPath || r.URL.Path == readyPath; isHealthCheck && r.URL.RawPath == "" {
			open.ServeHTTP(w, r)
		} else {
			protected.ServeHTTP(w, r)
		}
	})
}

// healthy answers 200 as long as the program runs.
func healthy(w http.ResponseWriter, _ *http.Request) {
	respond(w, "healthy")
}

// readyHandler answers 503 until ready returns true.
func readyHandler(ready func() bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if ready != nil && !ready() {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		respond(w, "ready")
	})
}

// newReloadHandler returns a handler that reloads and then answers, with 500 and the error if the old configuration stays in
// use. It refuses requests that a page of another origin sends through the browser of a user.
func newReloadHandler(reload func() error) http.Handler {
	if reload == nil {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "reload over HTTP is disabled: start with --web.enable-lifecycle, or send SIGHUP", http.StatusForbidden)
		})
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if err := reload(); err != nil {
			http.Error(w, "reloading failed, the old configuration stays in use:\n"+err.Error(), http.StatusInternalServerError)
			return
		}
		respond(w, "reloaded")
	})
	return http.NewCrossOriginProtection().Handler(handler)
}

// respond writes a line of text. If the client has gone, the error is ignored.
func respond(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintln(w, text)
}
