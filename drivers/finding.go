package drivers

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"
)

// An Inspector is a driver that can tell more about its backend than a poll does, for the command check.
type Inspector interface {
	// Inspect connects to every server of the driver and of its roster, and returns what an operator should know about each. It
	// returns when ctx ends, and writes nothing to the backend. A server that can't be inspected is a finding, too.
	Inspect(ctx context.Context) []Finding
}

// A Finding is something that an operator should know about a backend.
type Finding struct {
	Status Status `json:"status"`
	// Subject is one of the words that docs/check.md lists, such as "server" or "tls".
	Subject string `json:"subject"`
	// Text is a sentence without a full stop. Remedy is what to do; empty: nothing.
	Text   string `json:"text"`
	Remedy string `json:"remedy,omitempty"`
}

// A Status is how good a finding is: a closed set.
type Status string

// The statuses, from good to bad.
const (
	StatusOK      Status = "ok"
	StatusWarning Status = "warning" // works, but probably not as the operator meant it
	StatusFailure Status = "failure" // does not work
)

// OK returns a finding that needs no remedy.
func OK(subject, format string, args ...any) Finding {
	return Finding{Status: StatusOK, Subject: subject, Text: fmt.Sprintf(format, args...)}
}

// Warning returns a finding that needs a remedy.
func Warning(subject, text, remedy string) Finding {
	return Finding{StatusWarning, subject, text, remedy}
}

// Failure returns a finding about something that does not work.
func Failure(subject, text, remedy string) Finding {
	return Finding{StatusFailure, subject, text, remedy}
}

// minValidity is the time before the end of a certificate from which on it is worth a warning.
const minValidity = 30 * 24 * time.Hour

// Encryption returns the finding about the encryption of a connection to an address, at a time. A nil state means that there is
// none. An address that is no host and port is a socket of this machine.
func Encryption(address string, state *tls.ConnectionState, now time.Time) Finding {
	const subject = "tls"
	if state == nil || len(state.PeerCertificates) == 0 {
		if isLocal(address) {
			return OK(subject, "the connection to %s is not encrypted; it does not leave this machine", address)
		}
		return Warning(subject, "the connection to "+address+" is not encrypted: the network can read and change what is sent, passwords included",
			"turn on TLS, as docs/security.md describes")
	}
	end := state.PeerCertificates[0].NotAfter
	left := end.Sub(now)
	text := fmt.Sprintf("the connection to %s uses %s; the server's certificate ends on %s, in %d days",
		address, tls.VersionName(state.Version), end.UTC().Format(time.DateOnly), int(left/(24*time.Hour)))
	switch {
	case left < minValidity:
		return Warning(subject, text, "renew the server's certificate; once it has ended, the server can't be read")
	case len(state.VerifiedChains) == 0:
		return OK(subject, "%s; this program does not check the server's name", text)
	}
	return OK(subject, "%s", text)
}

// EncryptionOf is [Encryption] of an open connection.
func EncryptionOf(address string, conn net.Conn, now time.Time) Finding {
	if encrypted, ok := conn.(interface{ ConnectionState() tls.ConnectionState }); ok {
		return Encryption(address, new(encrypted.ConnectionState()), now)
	}
	return Encryption(address, nil, now)
}

// isLocal reports whether an address is on this machine: a loopback address, or a socket.
func isLocal(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return true
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
