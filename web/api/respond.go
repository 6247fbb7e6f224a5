package api

import (
	"errors"
	"net/http"
	"sync"

	"servicegroup_exporter/web/negotiate"
)

// respond writes an answer as JSON.
func (a *api) respond(w http.ResponseWriter, r *http.Request, status int, answer any) {
	a.send(w, r, status, "application/json", func(out *output) error { return out.writeJSON(answer) })
}

// send writes an answer of any media type. An error of the connection is only logged, because the client has gone.
func (a *api) send(w http.ResponseWriter, r *http.Request, status int, kind string, write func(*output) error) {
	out := output{w: w, status: status, kind: kind, compress: negotiate.Gzip(r.Header), long: a.long}
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

// fixed returns a handler that answers with a text that is the same for all requests. It is made for the first.
func (a *api) fixed(kind string, render func() ([]byte, error)) func(http.ResponseWriter, *http.Request, query) error {
	render = sync.OnceValues(render)
	return func(w http.ResponseWriter, r *http.Request, _ query) error {
		text, err := render()
		if err != nil {
			return err
		}
		a.send(w, r, http.StatusOK, kind, func(out *output) error {
			_, err := out.Write(text)
			return err
		})
		return nil
	}
}

// embedded returns an embedded text, as fixed takes it.
func embedded(text []byte) func() ([]byte, error) { return func() ([]byte, error) { return text, nil } }

// retryAfter is after how many seconds a client should retry: by then, a source may have been polled again, or other answers
// have ended.
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
