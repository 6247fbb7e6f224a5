package drivertest

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// A TLSBackend is a real server with TLS that requires client certificates.
type TLSBackend struct {
	// Start starts a server with a certificate, which accepts client certificates of the authority. It returns the addresses
	// of the port with TLS and of one without.
	Start func(t *testing.T, authority *testserver.Authority, certificate *testserver.Certificate) (secure, clear string)
	// Open returns a new driver for one server. A nil encryption means no TLS. The suite closes it.
	Open func(t *testing.T, server string, encryption *drivers.TLS) drivers.Driver
}

// A tlsCase is how a client connects, and how that fails.
type tlsCase struct {
	server string
	tls    *drivers.TLS
	reason drivers.Reason // empty: no error
	says   string         // in the error
}

// RunTLS runs the suite for encrypted connections.
func RunTLS(t *testing.T, b TLSBackend) {
	authority, other := testserver.NewAuthority(t), testserver.NewAuthority(t)
	client := authority.Issue("client")
	secure, clear := b.Start(t, authority, authority.Issue("localhost"))
	expired, _ := b.Start(t, authority, authority.IssueExpired("localhost"))
	byName, byAddress := at(t, "localhost", secure), at(t, "127.0.0.1", secure)
	identity := func(ca string, certificate *testserver.Certificate) *drivers.TLS {
		return &drivers.TLS{CAFile: ca, CertFile: certificate.CertFile, KeyFile: certificate.KeyFile}
	}
	mine := identity(authority.File, client)
	named := *mine
	named.ServerName = "localhost"
	misnamed := *mine
	misnamed.ServerName = "elsewhere"
	for name, test := range map[string]tlsCase{
		"right":                   {server: byName, tls: mine},
		"right name":              {server: byAddress, tls: &named},
		"other host":              {byAddress, mine, drivers.ReasonConnect, "127.0.0.1"},
		"other name":              {byName, &misnamed, drivers.ReasonConnect, "elsewhere"},
		"other CA":                {byName, identity(other.File, client), drivers.ReasonConnect, "unknown authority"},
		"the system's CAs":        {byName, identity("", client), drivers.ReasonConnect, "unknown authority"},
		"expired":                 {at(t, "localhost", expired), mine, drivers.ReasonConnect, "expired"},
		"server without TLS":      {at(t, "localhost", clear), mine, drivers.ReasonConnect, "TLS handshake"},
		"client without TLS":      {server: byName, reason: drivers.ReasonConnect},
		"no certificate":          {byName, &drivers.TLS{CAFile: authority.File}, drivers.ReasonAuth, "certificate"},
		"certificate of other CA": {byName, identity(authority.File, other.Issue("client")), drivers.ReasonAuth, "certificate"},
		"expired certificate":     {byName, identity(authority.File, authority.IssueExpired("client")), drivers.ReasonAuth, "certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.check(t, b.Open(t, test.server, test.tls))
		})
	}
	t.Run("replaced files", func(t *testing.T) {
		t.Parallel()
		wrong := authority.IssueExpired("client")
		d := b.Open(t, byName, identity(authority.File, wrong))
		before := tlsCase{tls: &drivers.TLS{}, reason: drivers.ReasonAuth, says: "certificate"}
		before.check(t, d)
		wrong.Replace(t, authority.Issue("client"))
		new(tlsCase).check(t, d)
	})
}

// at returns the address of a server with another name of its host.
func at(t *testing.T, host, server string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(server)
	require.NoError(t, err)
	return net.JoinHostPort(host, port)
}

// check polls until the result is the expected one: on a busy machine the first polls may time out. If the expected result is
// an error, no poll may succeed.
func (c *tlsCase) check(t *testing.T, d drivers.Driver) {
	t.Helper()
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	var err error
	testserver.Eventually(t, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), prompt)
		defer cancel()
		_, err = d.Members(ctx)
		if c.reason == "" {
			return err == nil
		}
		require.ErrorIs(t, err, drivers.ErrUnavailable)
		reason := drivers.ReasonOf(err)
		// A ZooKeeper server closes a connection that it does not understand, so that there is no session.
		return reason == c.reason || reason == drivers.ReasonSession && c.tls == nil
	}, 3*prompt, 20*time.Millisecond, "polls end with the reason %q", c.reason)
	if c.reason != "" {
		require.ErrorContains(t, err, c.says)
	}
}
