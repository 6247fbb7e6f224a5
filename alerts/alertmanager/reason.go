package alertmanager

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"
)

// A reason says why a request failed. There are only those below, so that it can be the value of a label.
type reason string

const (
	reasonTimeout  reason = "timeout"  // no answer in time
	reasonConnect  reason = "connect"  // no connection: refused, reset, unknown host, TLS
	reasonAuth     reason = "auth"     // authentication or authorization failed
	reasonRejected reason = "rejected" // another answer that will be the same when the request is repeated soon
	reasonServer   reason = "server"   // the server has an error or is overloaded: 5xx and 429
)

func reasons() []reason {
	return []reason{reasonTimeout, reasonConnect, reasonAuth, reasonRejected, reasonServer}
}

// needsCorrection returns whether a person has to change something before a request can succeed.
func (r reason) needsCorrection() bool { return r == reasonAuth || r == reasonRejected }

// A failure is a request that did not succeed.
type failure struct {
	reason reason
	err    error
	// content is true if the Alertmanager refused some of the alerts and accepted all others.
	content bool
}

func (f *failure) Error() string { return f.err.Error() }

func (f *failure) Unwrap() error { return f.err }

// failureOfRequest returns why a request got no answer.
func failureOfRequest(err error) *failure {
	if _, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return &failure{reason: reasonAuth, err: errors.New("the OAuth 2.0 server returned no token")}
	}
	// When the program ends, it cancels requests that are still under way.
	timeout, ok := errors.AsType[net.Error](err)
	if ok && timeout.Timeout() || errors.Is(err, context.Canceled) {
		return &failure{reason: reasonTimeout, err: errors.New("no answer in time")}
	}
	// The log line already names the Alertmanager's URL.
	if outer, ok := errors.AsType[*url.Error](err); ok {
		err = outer.Err
	}
	return &failure{reason: reasonConnect, err: err}
}

// failureOfStatus returns what the status of an answer means, nil for success. It does not quote the body of the answer,
// which may be large and may come from any server.
func failureOfStatus(response *http.Response) *failure {
	f := &failure{reason: reasonRejected, err: fmt.Errorf("the answer is %s", response.Status)}
	switch code := response.StatusCode; {
	case code >= 200 && code < 300:
		return nil
	case code == http.StatusUnauthorized, code == http.StatusForbidden, code == http.StatusProxyAuthRequired:
		f.reason = reasonAuth
	case code == http.StatusTooManyRequests, code >= 500:
		f.reason = reasonServer
	case code == http.StatusBadRequest, code == http.StatusUnprocessableEntity:
		// Alertmanager answers in JSON. Another web server, or one that expects TLS, does not, and has accepted no alert.
		if f.content = isJSON(response); !f.content {
			f.err = fmt.Errorf("the answer is %s and not from Alertmanager: check http or https, and the path", response.Status)
		}
	case code == http.StatusNotFound, code == http.StatusMethodNotAllowed:
		f.err = fmt.Errorf("the answer is %s: the URL must be that of Alertmanager's own pages, with its path prefix", response.Status)
	case code == http.StatusRequestEntityTooLarge:
		f.content = true
	case code >= 300 && code < 400:
		f.err = fmt.Errorf("the answer is %s: the URL redirects to another one", response.Status)
	}
	return f
}
