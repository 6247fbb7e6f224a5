package web

import (
	"fmt"
	"net/http"
)

// healthy answers as long as the program can answer at all.
func healthy(w http.ResponseWriter, _ *http.Request) {
	respond(w, "healthy")
}

// readyHandler answers 503 until ready gives no error.
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

// newReloadHandler answers when the reload is over: 500 with the reason if the old configuration was kept. Pages of
// other origins can't trigger it through somebody's browser.
func newReloadHandler(reload func() error) http.Handler {
	if reload == nil {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "reloading over HTTP is off: start with --web.enable-lifecycle, or send SIGHUP", http.StatusForbidden)
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

// respond writes a line of text. There is nobody to tell if the client has gone.
func respond(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintln(w, text)
}
