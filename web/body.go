package web

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// maxBody bounds the body of a request in bytes. Nothing that is served here needs one.
const maxBody = 64 << 10

// withoutBody reads the body of a request away before it is answered: else the server would do so after the answer, and wait
// as long as it takes. From then on a client has nothing more to say, and the server's deadline for reading ends: what it
// bounds is how a request comes, not how long its answer takes.
func withoutBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 && r.ProtoMajor == 1 {
			// A proxy may be of another opinion on where the body ends, and what follows it be somebody else's.
			w.Header().Set("Connection", "close")
		}
		_, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, maxBody))
		_, tooLong := errors.AsType[*http.MaxBytesError](err)
		switch {
		case err == nil:
			r.Body = http.NoBody
			_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // It can't fail where there is a connection.
			next.ServeHTTP(w, r)
		case tooLong:
			http.Error(w, fmt.Sprintf("the request has a body of more than %d bytes; none is needed", maxBody), http.StatusRequestEntityTooLarge)
		case errors.Is(err, os.ErrDeadlineExceeded):
			http.Error(w, "the request's body did not come in time; none is needed", http.StatusRequestTimeout)
		default:
			http.Error(w, "the request's body can't be read", http.StatusBadRequest)
		}
	})
}
