// Package negotiate tells what a client takes, as RFC 9110 has it.
package negotiate

import (
	"net/http"
	"strconv"
	"strings"
)

// Gzip tells whether a client would rather have a compressed answer than a plain one. Who does not say so gets it
// plain, and so does who takes anything.
func Gzip(h http.Header) bool {
	plain, zipped := -1.0, -1.0
	for _, value := range h.Values("Accept-Encoding") {
		for spec := range strings.SplitSeq(value, ",") {
			coding, q := weighed(spec)
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

// weighed splits "gzip;q=0.5". The weight is 1 where there is none, and 0 where it can't be read.
func weighed(spec string) (string, float64) {
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
