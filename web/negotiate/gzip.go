// Package negotiate reads from the headers of a request which encodings the client accepts, see RFC 9110.
package negotiate

import (
	"net/http"
	"strconv"
	"strings"
)

// Gzip reports whether a client prefers a compressed answer to a plain one. A client without a preference gets a plain
// answer.
func Gzip(h http.Header) bool {
	plain, zipped := -1.0, -1.0
	for _, value := range h.Values("Accept-Encoding") {
		for spec := range strings.SplitSeq(value, ",") {
			coding, q := parseCoding(spec)
			switch coding {
			case "*":
				plain, zipped = max(plain, q), max(zipped, q)
			case "identity":
				plain = max(plain, q)
			case "gzip":
				zipped = max(zipped, q)
			}
		}
	}
	return zipped > max(plain, 0)
}

// parseCoding splits "gzip;q=0.5". The weight is 1 if it is missing, and 0 if it is invalid.
func parseCoding(spec string) (string, float64) {
	coding, weight, ok := strings.Cut(spec, ";")
	coding = strings.ToLower(strings.TrimSpace(coding))
	if !ok {
		return coding, 1
	}
	text, ok := strings.CutPrefix(strings.TrimSpace(weight), "q=")
	q, err := strconv.ParseFloat(text, 64)
	if !ok || err != nil || !(q >= 0 && q <= 1) {
		return coding, 0
	}
	return coding, q
}
