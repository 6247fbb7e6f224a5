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
	// ErrNoSession means that a server closed the connection instead of giving a session.
	ErrNoSession = errors.New("it closed the connection without giving a session: it has no quorum, " +
		"or more connections from this host than its maxClientCnxns, or it accepts only TLS")
	// ErrClosed means that the driver was closed.
	ErrClosed = errors.New("the driver is closed")

	errAbandoned       = errors.New("the connection was cut")
	errOtherData       = errors.New("a new connection leads to servers with other data")
	errNoReply         = errors.New("the server answers pings but did not answer a request")
	errTruncated       = errors.New("its answer is truncated")
	errNotZooKeeper    = errors.New("not a ZooKeeper server")
	errConnectionEnded = errors.New("it closed the connection")
)

// A lostError says that a session has ended, and why. The request may be tried again in the next session.
type lostError struct {
	server string
	err    error
}

func (e *lostError) Error() string {
	return fmt.Sprintf("lost the session with %s: %v", e.server, e.err)
}

func (e *lostError) Unwrap() error { return e.err }

// Lost reports whether err means that the session ended, as opposed to an error of the request itself, and of one that would end the
// next session, too.
func Lost(err error) bool {
	_, lost := errors.AsType[*lostError](err)
	return lost && !errors.Is(err, errSASL)
}

// endsSession reports whether an error of the client library means that the session or its connection has ended. The
// library returns the network's error for a request that it could not write.
func endsSession(err error) bool {
	if _, network := errors.AsType[net.Error](err); network {
		return true
	}
	for _, end := range []error{
		zkclient.ErrConnectionClosed, zkclient.ErrSessionExpired, zkclient.ErrSessionMoved, zkclient.ErrClosing,
		zkclient.ErrNoServer, zkclient.ErrAuthFailed,
	} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}

// IsConflict reports whether a transaction failed because another client changed one of its znodes in the meantime. The
// caller should read the znodes again.
func IsConflict(err error) bool {
	return errors.Is(err, zkclient.ErrNodeExists) || errors.Is(err, zkclient.ErrNoNode) ||
		errors.Is(err, zkclient.ErrBadVersion)
}

// Unavailable returns a [drivers.ErrUnavailable] with a reason that fits err. The text doing, as in "reading /a", says
// what failed.
func Unavailable(doing string, err error) error {
	reason := drivers.ReasonQuery
	switch {
	case errors.Is(err, drivers.ErrUnavailable):
		reason = drivers.ReasonOf(err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		reason = drivers.ReasonTimeout
	case errors.Is(err, errSASL):
		reason = drivers.ReasonAuth
	case errors.Is(err, zkclient.ErrNoAuth):
		reason = drivers.ReasonAuth
	case errors.Is(err, zkclient.ErrInvalidACL):
		reason = drivers.ReasonAuth
		err = fmt.Errorf("%w: an entry of acl names an identity that the server does not know", err)
	case errors.Is(err, zkclient.ErrShortBuffer):
		err = errTruncated // The library's text says that its buffer is too small.
	case Lost(err), errors.Is(err, ErrClosed):
		reason = drivers.ReasonSession
	}
	return drivers.Unavailable(reason, fmt.Errorf("%s: %w", doing, err))
}

// errSASL means that the server answers no request of a client without SASL.
var errSASL = errors.New("the server requires SASL (sessionRequireClientSASLAuth or enforce.auth), which is not supported: " +
	"use tls with a client's certificate, or auth with a digest")

// saslRequired is the error code SESSIONCLOSEDREQUIRESASLAUTH, which the client library does not know. The server closes the connection
// after it.
const saslRequired = -124

// A deniedError says which permission is missing.
type deniedError struct{ permission, znode string }

func (e *deniedError) Error() string {
	return fmt.Sprintf("the ACL of %s does not give %s to the identity that auth sets", e.znode, e.permission)
}

func (e *deniedError) Unwrap() error { return zkclient.ErrNoAuth }

// withPermission adds the missing permission and the znode to an error that means that a permission is missing.
// ZooKeeper's own error names neither.
func withPermission(err error, permission, znode string) error {
	if errors.Is(err, zkclient.ErrNoAuth) {
		return &deniedError{permission, znode}
	}
	return err
}

// withPermissionOf is like withPermission, for one request of a transaction.
func withPermissionOf(err error, op any) error {
	switch op := op.(type) {
	case *zkclient.CreateRequest:
		return withPermission(err, "CREATE", path.Dir(op.Path))
	case *zkclient.DeleteRequest:
		return withPermission(err, "DELETE", path.Dir(op.Path))
	case *zkclient.SetDataRequest:
		return withPermission(err, "WRITE", op.Path)
	}
	return err
}
