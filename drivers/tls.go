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

// TLS is the section "tls" of a driver: how connections to its servers are encrypted. A driver without the section connects
// in the clear. Servers' certificates and names are always checked.
//
// All files are PEM and read anew for each connection, so that they may be replaced at any time.
type TLS struct {
	// CAFile has the certificates of the authorities that may have issued a server's; empty: the system's.
	CAFile string `yaml:"ca_file,omitempty"`
	// CertFile and KeyFile are the certificate that is shown to servers which want one, with those between it and its
	// authority, and its key.
	CertFile string `yaml:"cert_file,omitempty"`
	KeyFile  string `yaml:"key_file,omitempty"`
	// ServerName is the name that servers' certificates are for; empty: what servers are called in the configuration.
	ServerName string `yaml:"server_name,omitempty"`
}

// SetDirectory makes relative paths begin at a folder.
func (t *TLS) SetDirectory(dir string) {
	for _, file := range []*string{&t.CAFile, &t.CertFile, &t.KeyFile} {
		if *file != "" && !filepath.IsAbs(*file) {
			*file = filepath.Join(dir, *file)
		}
	}
}

// Validate reads the files, and returns one error, a [FieldError] within "tls", for each setting that is wrong, joined.
func (t *TLS) Validate() error {
	if t == nil {
		return nil
	}
	if t.CertFile != "" && t.KeyFile == "" {
		return Field("tls.key_file", "is missing: the certificate has a key")
	}
	if t.KeyFile != "" && t.CertFile == "" {
		return Field("tls.cert_file", "is missing: the key has a certificate")
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

// authorities reads CAFile, nil for the system's.
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
		return nil, fmt.Errorf("%s holds no certificate in PEM", t.CAFile)
	}
	return pool, nil
}

// certificates reads what is shown to servers.
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

// Client encrypts a connection to the server that the configuration calls by that host name or address, and checks that
// it is this one. The handshake ends with ctx. Where it fails the connection is closed, and the error is one of
// [Unavailable]. Closing the connection that it gives sends nothing. A nil TLS gives conn itself.
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

// handshakeFailed says why there was no handshake.
func handshakeFailed(err error) error {
	reason := ReasonConnect
	switch {
	case err == nil:
		return nil
	case IsCertificateRefused(err):
		reason = ReasonAuth
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		err = fmt.Errorf("%w: the server hung up; does it speak TLS on this port?", err)
	}
	return Unavailable(reason, fmt.Errorf("TLS handshake: %w", err))
}

// IsCertificateRefused says whether a server ended the connection since it takes no client without a certificate, or not
// with that one. Since TLS 1.3 the client learns that only when it reads.
func IsCertificateRefused(err error) bool {
	e, ok := errors.AsType[*net.OpError](err)
	if !ok || e.Op != "remote error" {
		return false
	}
	alert := e.Err.Error()
	return slices.ContainsFunc([]string{
		"certificate", "access denied",
		"handshake failure",        // before TLS 1.3, of clients without a certificate
		"error decrypting message", // of one that is signed by an authority's old key
	}, func(text string) bool { return strings.Contains(alert, text) })
}

// A quietConn is closed as a connection in the clear is. A TLS connection would say farewell first, and wait for a peer
// that does not listen any more.
type quietConn struct{ *tls.Conn }

func (c quietConn) Close() error { return c.NetConn().Close() }

// Write tells of a server that has hung up what that said last, which may be that it refuses our certificate.
func (c quietConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		if _, why := c.Read(make([]byte, 1)); IsCertificateRefused(why) {
			err = why
		}
	}
	return n, err
}
