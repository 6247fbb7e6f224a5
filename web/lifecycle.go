package web

import (
	"fmt"
	"net/http"
)

// healthy answers 200 as long as the program runs.
func healthy(w http.ResponseWriter, _ *http.Request) {
	respond(w, "healthy")
}

// readyHandler answers 503 until ready returns nil.
func readyHandler(ready func() error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if ready != nil {
			if err := ready(); err != nil {
				http.Error(w, "not ready: "+err.Error(), http.StatusServiceUnavailable)
				return
			}
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
