package api

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
)

// respond writes an answer as JSON. There is nobody to tell if the client has gone.
func (a *api) respond(w http.ResponseWriter, r *http.Request, status int, answer any) {
	out := output{w: w, status: status, kind: "application/json", compress: acceptsGzip(r.Header)}
	a.finish(r, &out, out.writeJSON(answer))
}

// write writes a body that is no JSON.
func (a *api) write(w http.ResponseWriter, r *http.Request, status int, contentType string, body []byte) {
	out := output{w: w, status: status, kind: contentType, compress: acceptsGzip(r.Header)}
	_, err := out.Write(body)
	a.finish(r, &out, err)
}

// finish ends an answer, of which the client may have taken no more than a part.
func (a *api) finish(r *http.Request, out *output, err error) {
	if err == nil {
		err = out.end()
	}
	if err != nil {
		a.Logger.Debug("Writing an answer failed", "path", r.URL.Path, "err", err)
	}
}

// acceptsGzip tells whether a client takes gzip, RFC 9110 section 12.5.3. Weights only matter where they are zero.
func acceptsGzip(h http.Header) bool {
	for coding := range strings.SplitSeq(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		name, weight, _ := strings.Cut(coding, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			_, q, weighed := strings.Cut(weight, "=")
			value, err := strconv.ParseFloat(strings.TrimSpace(q), 64)
			return !weighed || err == nil && value > 0
		}
	}
	return false
}

// retryAfter is in how many seconds it is worth asking again for what can't be answered now: a source is polled again, or
// others have got their answers.
const retryAfter = "5"

// fail writes an error as JSON.
func (a *api) fail(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusInternalServerError
	if e, ok := errors.AsType[*statusError](err); ok {
		status = e.status
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	a.respond(w, r, status, struct {
		Error string `json:"error"`
	}{err.Error()})
}
