package session

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path"

	zkclient "github.com/go-zookeeper/zk"

	"servicegroup_exporter/drivers"
)

var (
	// ErrClosed says that the driver is closed.
	ErrClosed  = errors.New("the driver is closed")
	errCut     = errors.New("the connection was cut")
	errNoReply = errors.New("the server answers pings but not a request")

	errCutShort     = errors.New("its answer is cut short")
	errNotZooKeeper = errors.New("not a ZooKeeper server")
)

// A lostError says that a session is over, and why, so that a call may be tried again on the next one.
type lostError struct {
	server string
	err    error
}

func (e *lostError) Error() string {
	return fmt.Sprintf("lost the session with %s: %v", e.server, e.err)
}

func (e *lostError) Unwrap() error { return e.err }

// Lost says whether err is about the session that it happened on rather than about the request.
func Lost(err error) bool {
	_, is := errors.AsType[*lostError](err)
	return is
}

// sessionOver says whether an error of the client library means that the session or its connection has ended. What it
// could not write, it reports as the network's error.
func sessionOver(err error) bool {
	if _, network := errors.AsType[net.Error](err); network {
		return true
	}
	for _, over := range []error{
		zkclient.ErrConnectionClosed, zkclient.ErrSessionExpired, zkclient.ErrSessionMoved, zkclient.ErrClosing,
		zkclient.ErrNoServer, zkclient.ErrAuthFailed,
	} {
		if errors.Is(err, over) {
			return true
		}
	}
	return false
}

// Unavailable says what was being done and wraps err with the reason why the backend did not do it.
func Unavailable(doing string, err error) error {
	reason := drivers.ReasonQuery
	switch {
	case errors.Is(err, drivers.ErrUnavailable):
		reason = drivers.ReasonOf(err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		reason = drivers.ReasonTimeout
	case errors.Is(err, zkclient.ErrNoAuth):
		reason = drivers.ReasonAuth
	case errors.Is(err, zkclient.ErrInvalidACL):
		reason = drivers.ReasonAuth
		err = fmt.Errorf("%w: the server knows no identity for an entry of acl", err)
	case errors.Is(err, zkclient.ErrShortBuffer):
		err = errCutShort // The library's word for it is that its buffer is too small.
	case Lost(err), errors.Is(err, ErrClosed):
		reason = drivers.ReasonSession
	}
	return drivers.Unavailable(reason, fmt.Errorf("%s: %w", doing, err))
}

// A deniedError says which permission was missing.
type deniedError struct{ permission, path string }

func (e *deniedError) Error() string {
	return fmt.Sprintf("the ACL of %s does not give %s to whom auth names", e.path, e.permission)
}

func (e *deniedError) Unwrap() error { return zkclient.ErrNoAuth }

// denied says what an error that ZooKeeper gives for any missing permission is about.
func denied(err error, permission, znode string) error {
	if errors.Is(err, zkclient.ErrNoAuth) {
		return &deniedError{permission, znode}
	}
	return err
}

// deniedOp is denied for a request of a transaction.
func deniedOp(err error, op any) error {
	switch op := op.(type) {
	case *zkclient.CreateRequest:
		return denied(err, "CREATE", path.Dir(op.Path))
	case *zkclient.DeleteRequest:
		return denied(err, "DELETE", path.Dir(op.Path))
	case *zkclient.SetDataRequest:
		return denied(err, "WRITE", op.Path)
	}
	return err
}
