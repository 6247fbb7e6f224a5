package web

import "net/http"

// policy lets a page load scripts, styles, images and data from this program only. Scripts and styles inside a page are
// ignored, so that a name of a member that became markup by a mistake could do nothing.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// withHeaders sets the headers that restrict what browsers do with an answer. Headers that the operator set in the web
// configuration file are kept.
func withHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setAbsent(w.Header(), "X-Content-Type-Options", "nosniff")
		setAbsent(w.Header(), "X-Frame-Options", "deny")
		setAbsent(w.Header(), "Referrer-Policy", "same-origin")
		setAbsent(w.Header(), "Content-Security-Policy", policy)
		next.ServeHTTP(w, r)
	})
}

func setAbsent(h http.Header, key, value string) {
	if h.Get(key) == "" {
		h.Set(key, value)
	}
}
