package drivers

import (
	"context"
	"errors"
)

var (
	// ErrUnavailable means that the backend can't be read, so that the states of its members are unknown.
	ErrUnavailable = errors.New("backend unavailable")
	// ErrNoMember means that the group has no such member.
	ErrNoMember = errors.New("no such member")
	// ErrNoGroup means that there is no such group.
	ErrNoGroup = errors.New("no such group")
	// ErrNameTaken means that another live process already has the name.
	ErrNameTaken = errors.New("name is taken")
	// ErrRemoved means that another process removed the member on purpose while it was joined.
	ErrRemoved = errors.New("member was removed")
)

// A Reason is why a backend is unavailable: a closed set, used as a metric label.
type Reason string

// The reasons.
const (
	ReasonTimeout Reason = "timeout" // it did not answer in time
	ReasonConnect Reason = "connect" // no connection: refused, reset, unknown host, another kind of server
	ReasonAuth    Reason = "auth"    // it refused the credentials, or they lack a permission
	ReasonSession Reason = "session" // connected, but without a session or quorum
	ReasonSchema  Reason = "schema"  // the data is not laid out as configured
	ReasonQuery   Reason = "query"   // it refused or failed the request for another reason
)

// Reasons returns all reasons.
func Reasons() []Reason {
	return []Reason{ReasonTimeout, ReasonConnect, ReasonAuth, ReasonSession, ReasonSchema, ReasonQuery}
}

// unavailableError is ErrUnavailable with a reason and a cause.
type unavailableError struct {
	reason Reason
	err    error
}

// Unavailable wraps err so that errors.Is finds both it and [ErrUnavailable], and [ReasonOf] finds the reason.
func Unavailable(reason Reason, err error) error {
	return &unavailableError{reason: reason, err: err}
}

func (e *unavailableError) Error() string { return e.err.Error() }

func (e *unavailableError) Unwrap() []error { return []error{ErrUnavailable, e.err} }

// ReasonOf returns the reason of an error that [Unavailable] wrapped. Without one it is a timeout if a context ended, and
// otherwise a failed query.
func ReasonOf(err error) Reason {
	if e, ok := errors.AsType[*unavailableError](err); ok {
		return e.reason
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return ReasonTimeout
	}
	return ReasonQuery
}
