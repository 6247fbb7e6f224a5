package web

import "net/http"

// withNotFound answers with a page where no handler of the mux is for a path, or where the handler has no such page. The API
// answers in JSON itself.
func withNotFound(mux *http.ServeMux, page http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := mux.Handler(r); pattern == "" || pattern == "GET "+runbooksPath || pattern == "GET "+assetsPath {
			w = &notFound{ResponseWriter: w, request: r, page: page}
		}
		mux.ServeHTTP(w, r)
	})
}

// A notFound replaces an answer with status 404 by a page.
type notFound struct {
	http.ResponseWriter
	request  *http.Request
	page     http.HandlerFunc
	replaced bool
}

// WriteHeader implements http.ResponseWriter.
func (n *notFound) WriteHeader(status int) {
	if status == http.StatusNotFound && !n.replaced {
		n.replaced = true
		n.page(n.ResponseWriter, n.request)
		return
	}
	n.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (n *notFound) Write(text []byte) (int, error) {
	if n.replaced {
		return len(text), nil
	}
	return n.ResponseWriter.Write(text)
}

// Unwrap is for [http.ResponseController].
func (n *notFound) Unwrap() http.ResponseWriter { return n.ResponseWriter }
