package alertmanager

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"

	"servicegroup_exporter/drivers"
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

var errNotAlertmanager = errors.New("the server that answers is not an Alertmanager")

// A failure is a request that did not succeed.
type failure struct {
	reason reason
	err    error
	// content is true if the Alertmanager refused some of the alerts and accepted all others.
	content bool
	// tooLarge is true if the request was too large for the Alertmanager, or for a proxy.
	tooLarge bool
}

func (f *failure) Error() string { return f.err.Error() }

func (f *failure) Unwrap() error { return f.err }

// failureOfRequest returns why a request got no answer. Its ctx is of [drivers.WithLimit].
func failureOfRequest(ctx context.Context, err error) *failure {
	if _, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return &failure{reason: reasonAuth, err: errors.New("the OAuth 2.0 server returned no token")}
	}
	// When the program ends, it cancels requests that are in progress.
	timeout, ok := errors.AsType[net.Error](err)
	if ok && timeout.Timeout() || errors.Is(err, context.Canceled) {
		return &failure{reason: reasonTimeout, err: drivers.NoAnswer(ctx, err)}
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

// minTooLarge is the size of a request, in bytes, below which no server refuses it for its size.
const minTooLarge = 16 << 10

// failureOfAnswer is like failureOfStatus, but believes less: a proxy may have answered. It reads the body of a refusal.
func failureOfAnswer(response *http.Response) *failure {
	f := failureOfStatus(response)
	switch {
	case f == nil && isPage(response):
		return &failure{reason: reasonRejected, err: errors.New("the answer is a page and not from Alertmanager: a proxy may want a login")}
	case f == nil || !f.content:
	case response.StatusCode == http.StatusRequestEntityTooLarge:
		f.tooLarge = true
	case !isRefusal(response.Body):
		f.content = false
		f.err = fmt.Errorf("the answer is %s and not from Alertmanager: a proxy may have refused the request", response.Status)
	}
	return f
}

// isPage reports whether an answer is one for browsers.
func isPage(response *http.Response) bool {
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	return kind == "text/html" || kind == "application/xhtml+xml"
}

// isRefusal reports whether a body is that with which Alertmanager refuses alerts: a text in JSON, or an object with a code and a
// message.
func isRefusal(body io.Reader) bool {
	var answer any
	if json.NewDecoder(io.LimitReader(body, maxDrained)).Decode(&answer) != nil {
		return false
	}
	if _, isText := answer.(string); isText {
		return true
	}
	object, _ := answer.(map[string]any)
	_, hasCode := object["code"].(float64)
	_, hasMessage := object["message"].(string)
	return hasCode && hasMessage
}

// failureOfReading returns why the body of an answer could not be read.
func failureOfReading(ctx context.Context, err error) *failure {
	cut, isNet := errors.Is(err, io.ErrUnexpectedEOF), false
	if _, ok := errors.AsType[net.Error](err); ok {
		isNet = true
	}
	if ctx.Err() != nil || cut || isNet {
		return failureOfRequest(ctx, err)
	}
	return &failure{reason: reasonRejected, err: err}
}
