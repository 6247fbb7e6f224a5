package web

import "net/http"

// policy lets a page load scripts, styles, images and data from this program, and nothing from elsewhere. Nothing that
// stands in the page itself is run or styles it, so that a name that got there as markup could do nothing.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// withHeaders makes browsers distrust whatever an answer holds. A header that the operator set in the web configuration
// file stays as it is.
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
