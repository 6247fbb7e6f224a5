package api

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
)

// respond writes an answer as JSON. There is nobody to tell if the client has gone.
func (a *api) respond(w http.ResponseWriter, r *http.Request, status int, answer any) {
	a.send(w, r, status, "application/json", func(out *output) error { return out.writeJSON(answer) })
}

// send writes an answer of any kind, of which the client may take no more than a part.
func (a *api) send(w http.ResponseWriter, r *http.Request, status int, kind string, write func(*output) error) {
	out := output{w: w, status: status, kind: kind, compress: acceptsGzip(r.Header), long: a.long}
	defer out.leave()
	err := write(&out)
	if err == nil {
		err = out.end()
	}
	if _, busy := errors.AsType[*statusError](err); busy {
		a.fail(w, r, err)
	} else if err != nil {
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
