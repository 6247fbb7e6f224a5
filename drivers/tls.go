package drivers

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// TLS is the section "tls" of a driver: how connections to its servers are encrypted. A driver without the section does not
// encrypt. Servers' certificates and names are always checked.
//
// All files are PEM and are read for each connection, so that they may be replaced at any time.
type TLS struct {
	// CAFile has the certificates of the authorities that may issue servers' certificates. Empty means the system's.
	CAFile string `yaml:"ca_file,omitempty"`
	// CertFile is the certificate that is sent to servers which request one, followed by intermediate certificates. KeyFile
	// is its key.
	CertFile string `yaml:"cert_file,omitempty"`
	KeyFile  string `yaml:"key_file,omitempty"`
	// ServerName is the name in servers' certificates. Empty means the servers' names in the configuration.
	ServerName string `yaml:"server_name,omitempty"`
}

// SetDirectory makes relative paths start at a folder.
func (t *TLS) SetDirectory(dir string) {
	for _, file := range []*string{&t.CAFile, &t.CertFile, &t.KeyFile} {
		if *file != "" && !filepath.IsAbs(*file) {
			*file = filepath.Join(dir, *file)
		}
	}
}

// Validate reads the files. It returns a [FieldError] within "tls" for each wrong setting, joined with errors.Join.
func (t *TLS) Validate() error {
	if t == nil {
		return nil
	}
	if t.CertFile != "" && t.KeyFile == "" {
		return Field("tls.key_file", "is missing: cert_file needs its key")
	}
	if t.KeyFile != "" && t.CertFile == "" {
		return Field("tls.cert_file", "is missing: key_file needs its certificate")
	}
	var errs []error
	if _, err := t.authorities(); err != nil {
		errs = append(errs, Field("tls.ca_file", "%w", err))
	}
	if _, err := t.certificates(); err != nil {
		errs = append(errs, Field("tls.cert_file", "%w", err))
	}
	return errors.Join(errs...)
}

// authorities reads CAFile. It returns nil for the system's authorities.
func (t *TLS) authorities() (*x509.CertPool, error) {
	if t.CAFile == "" {
		return nil, nil
	}
	text, err := os.ReadFile(t.CAFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s has no certificate in PEM format", t.CAFile)
	}
	return pool, nil
}

// certificates reads the certificate that is sent to servers.
func (t *TLS) certificates() ([]tls.Certificate, error) {
	if t.CertFile == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("with its key: %w", err)
	}
	return []tls.Certificate{pair}, nil
}

// Client encrypts a connection to a server, and checks that the server's certificate is for host, its hostname or address in
// the configuration. The handshake ends with ctx. If it fails, Client closes the connection and returns an error of
// [Unavailable]. Closing the returned connection sends nothing. For a nil TLS Client returns conn itself.
func (t *TLS) Client(ctx context.Context, conn net.Conn, host string) (net.Conn, error) {
	if t == nil {
		return conn, nil
	}
	client, err := t.client(conn, host)
	if err == nil {
		err = handshakeFailed(client.HandshakeContext(ctx))
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return quietConn{client}, nil
}

func (t *TLS) client(conn net.Conn, host string) (*tls.Conn, error) {
	roots, err := t.authorities()
	if err != nil {
		return nil, Unavailable(ReasonConnect, fmt.Errorf("reading ca_file: %w", err))
	}
	certificates, err := t.certificates()
	if err != nil {
		return nil, Unavailable(ReasonAuth, fmt.Errorf("reading cert_file: %w", err))
	}
	return tls.Client(conn, &tls.Config{
		MinVersion: tls.VersionTLS12, RootCAs: roots, Certificates: certificates, ServerName: cmp.Or(t.ServerName, host),
	}), nil
}

// handshakeFailed adds the reason to the error of a handshake.
func handshakeFailed(err error) error {
	reason := ReasonConnect
	switch {
	case err == nil:
		return nil
	case IsCertificateRefused(err):
		reason = ReasonAuth
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		err = fmt.Errorf("%w: the server closed the connection; does it use TLS on this port?", err)
	}
	return Unavailable(reason, fmt.Errorf("TLS handshake: %w", err))
}

// IsCertificateRefused reports whether a server ended the connection because the client has no certificate, or one that it
// does not accept. With TLS 1.3 the client receives that only with a read after the handshake.
//
// The alert's text decides: crypto/tls exports the alerts of remote servers only for QUIC ([tls.AlertError]). The tests of
// TLS with real servers fail if a Go release changes the texts.
func IsCertificateRefused(err error) bool {
	e, ok := errors.AsType[*net.OpError](err)
	if !ok || e.Op != "remote error" {
		return false
	}
	alert := e.Err.Error()
	return slices.ContainsFunc([]string{
		"certificate", "access denied",
		"handshake failure",        // before TLS 1.3, if the client has no certificate
		"error decrypting message", // if the certificate was signed with an old key of the authority
	}, func(text string) bool { return strings.Contains(alert, text) })
}

// A quietConn is closed like a connection without TLS. Close of a TLS connection would first send an alert, and wait for a
// peer that no longer reads.
type quietConn struct{ *tls.Conn }

func (c quietConn) Close() error { return c.NetConn().Close() }

// Write returns the server's last alert, if it has closed the connection because it refuses the client's certificate.
func (c quietConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		if _, why := c.Read(make([]byte, 1)); IsCertificateRefused(why) {
			err = why
		}
	}
	return n, err
}
