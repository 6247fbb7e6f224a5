package web

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// maxBody bounds the body of a request in bytes. No endpoint needs a body.
const maxBody = 64 << 10

// drainBody reads and discards the body of a request before the request is answered; net/http would do so after the answer,
// without a bound of time. It then removes the read deadline of the connection, which bounds how long a request takes to
// arrive, not how long its answer takes.
func drainBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 && r.ProtoMajor == 1 {
			// A proxy may disagree on where the body ends, and take what follows for the request of another client.
			w.Header().Set("Connection", "close")
		}
		_, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, maxBody))
		_, tooLong := errors.AsType[*http.MaxBytesError](err)
		switch {
		case err == nil:
			r.Body = http.NoBody
			_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // It fails only without a connection.
			next.ServeHTTP(w, r)
		case tooLong:
			http.Error(w, fmt.Sprintf("the request has a body of more than %d bytes, but needs none", maxBody), http.StatusRequestEntityTooLarge)
		case errors.Is(err, os.ErrDeadlineExceeded):
			http.Error(w, "the body of the request did not arrive in time, but none is needed", http.StatusRequestTimeout)
		default:
			http.Error(w, "reading the body of the request failed", http.StatusBadRequest)
		}
	})
}
