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

// A reason is why a request failed: a closed set, used as a metric label.
type reason string

const (
	reasonTimeout  reason = "timeout"  // it did not answer in time
	reasonConnect  reason = "connect"  // no connection: refused, reset, unknown host, TLS
	reasonAuth     reason = "auth"     // it answered that we may not
	reasonRejected reason = "rejected" // it answered something else that trying again soon does not change
	reasonServer   reason = "server"   // it is there, but can't: 5xx and 429
)

func reasons() []reason {
	return []reason{reasonTimeout, reasonConnect, reasonAuth, reasonRejected, reasonServer}
}

// slow says whether somebody has to change something before a request can succeed.
func (r reason) slow() bool { return r == reasonAuth || r == reasonRejected }

// A failure is a request that did not succeed.
type failure struct {
	reason reason
	err    error
	// content says that the Alertmanager refuses some of the alerts, and has taken all others.
	content bool
}

func (f *failure) Error() string { return f.err.Error() }

func (f *failure) Unwrap() error { return f.err }

// unanswered tells why there is no answer.
func unanswered(err error) *failure {
	if _, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return &failure{reason: reasonAuth, err: errors.New("the OAuth 2.0 server gave no token")}
	}
	// The end of a program cancels what it did not wait for.
	timeout, ok := errors.AsType[net.Error](err)
	if ok && timeout.Timeout() || errors.Is(err, context.Canceled) {
		return &failure{reason: reasonTimeout, err: errors.New("no answer in time")}
	}
	// Whoever reads it knows the URL.
	if outer, ok := errors.AsType[*url.Error](err); ok {
		err = outer.Err
	}
	return &failure{reason: reasonConnect, err: err}
}

// answered tells what a status means, nil for success. The text of an answer is not quoted: it may be of any size and
// from anybody.
func answered(response *http.Response) *failure {
	f := &failure{reason: reasonRejected, err: fmt.Errorf("answered %s", response.Status)}
	switch code := response.StatusCode; {
	case code >= 200 && code < 300:
		return nil
	case code == http.StatusUnauthorized, code == http.StatusForbidden, code == http.StatusProxyAuthRequired:
		f.reason = reasonAuth
	case code == http.StatusTooManyRequests, code >= 500:
		f.reason = reasonServer
	case code == http.StatusBadRequest, code == http.StatusUnprocessableEntity:
		// Alertmanager explains itself in JSON. A web server that is none, or one that is spoken to without TLS, does not,
		// and has taken nothing.
		if f.content = isJSON(response); !f.content {
			f.err = fmt.Errorf("answered %s, and not as Alertmanager does: check http or https, and the path", response.Status)
		}
	case code == http.StatusNotFound, code == http.StatusMethodNotAllowed:
		f.err = fmt.Errorf("answered %s: the URL must be where Alertmanager's own pages begin, with its path prefix", response.Status)
	case code == http.StatusRequestEntityTooLarge:
		f.content = true
	case code >= 300 && code < 400:
		f.err = fmt.Errorf("answered %s: the URL leads elsewhere", response.Status)
	}
	return f
}
