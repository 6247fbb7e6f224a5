package api

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
)

// gzipFrom is the size in bytes from which an answer is compressed: a smaller one fits in one packet anyway.
const gzipFrom = 1400

// respond writes an answer as JSON. There is nobody to tell if the client has gone.
func (a *api) respond(w http.ResponseWriter, r *http.Request, status int, answer any) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // No browser takes it for HTML: its type is set and may not be guessed.
	if err := encoder.Encode(answer); err != nil {
		a.Logger.Error("Writing an answer as JSON failed", "path", r.URL.Path, "err", err)
		http.Error(w, `{"error":"the answer could not be written"}`, http.StatusInternalServerError)
		return
	}
	a.write(w, r, status, "application/json", body.Bytes())
}

// write writes a body, compressed where the client takes that and it is worth it.
func (a *api) write(w http.ResponseWriter, r *http.Request, status int, contentType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Accept-Encoding")
	if len(body) >= gzipFrom && acceptsGzip(r.Header) {
		h.Set("Content-Encoding", "gzip")
		body = zip(body)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
		a.Logger.Debug("Writing an answer failed", "path", r.URL.Path, "err", err)
	}
}

func zip(body []byte) []byte {
	var zipped bytes.Buffer
	// Neither can fail: the level is a good one, and a buffer takes everything.
	zipper, _ := gzip.NewWriterLevel(&zipped, gzip.BestSpeed)
	_, _ = zipper.Write(body)
	_ = zipper.Close()
	return zipped.Bytes()
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

// fail writes an error as JSON.
func (a *api) fail(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusInternalServerError
	if e, ok := errors.AsType[*statusError](err); ok {
		status = e.status
	}
	a.respond(w, r, status, struct {
		Error string `json:"error"`
	}{err.Error()})
}
