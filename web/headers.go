package web

import "net/http"

// withHeaders makes browsers distrust whatever an answer holds: the landing page needs its inline style and links,
// nothing else. A header that the operator set in the web configuration file stays as it is.
func withHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setAbsent(w.Header(), "X-Content-Type-Options", "nosniff")
		setAbsent(w.Header(), "X-Frame-Options", "deny")
		setAbsent(w.Header(), "Content-Security-Policy",
			"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		next.ServeHTTP(w, r)
	})
}

func setAbsent(h http.Header, key, value string) {
	if h.Get(key) == "" {
		h.Set(key, value)
	}
}
