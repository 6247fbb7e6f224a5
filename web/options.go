package web

import (
	"net/http"
	"slices"
	"strings"
)

// withOptions answers requests of the method OPTIONS with the methods that the path allows. HAProxy's option httpchk sends such
// requests, unless another method is set. A path that does not exist is answered with 404. The handler next answers all other methods.
func withOptions(mux *http.ServeMux, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodOptions {
			next.ServeHTTP(w, r)
			return
		}
		allowed := allowedMethods(mux, r)
		if len(allowed) == 0 {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Allow", strings.Join(append(allowed, http.MethodOptions), ", "))
		w.WriteHeader(http.StatusNoContent)
	})
}

// allowedMethods returns the methods that the path of a request allows. Handlers for all methods, as the API, only answer GET and HEAD.
func allowedMethods(mux *http.ServeMux, r *http.Request) (allowed []string) {
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut} {
		asked := r.Clone(r.Context())
		asked.Method = method
		_, pattern := mux.Handler(asked)
		if pattern != "" && (strings.Contains(pattern, " ") || slices.Contains([]string{http.MethodGet, http.MethodHead}, method)) {
			allowed = append(allowed, method)
		}
	}
	return allowed
}
