package db

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"servicegroup_exporter/internal/suggest"
)

// tlsParameters are the parameters of PyMySQL and mysqlclient that choose encryption.
func tlsParameters() []string {
	return []string{
		"ssl_ca", "ssl_cert", "ssl_key", "ssl_mode", "ssl_check_hostname", "ssl_disabled", "ssl_verify_cert",
		"ssl_verify_identity",
	}
}

// tls returns the encryption that the URL asks for, nil for none.
//
// As with PyMySQL any ssl parameter turns encryption on, and a CA turns on the checks of the server's certificate and host
// name. A check is left out only if the URL asks for that.
func (u *dsnURL) tls() (*tls.Config, error) {
	asked := false
	for _, name := range tlsParameters() {
		asked = asked || u.query.Has(name)
	}
	if !asked || u.query.Get("ssl_mode") == "DISABLED" || isTrue(u.query.Get("ssl_disabled")) {
		return nil, nil
	}
	c := &tls.Config{ServerName: cmp.Or(u.host, "localhost"), MinVersion: tls.VersionTLS12}
	if err := u.loadFiles(c); err != nil {
		return nil, err
	}
	chain, hostname, err := u.checks()
	if err != nil {
		return nil, err
	}
	c.InsecureSkipVerify = !chain || !hostname
	if chain && !hostname {
		c.VerifyConnection = verifyChain(c.RootCAs)
	}
	return c, nil
}

// loadFiles reads the certificates of the CA and of the client.
func (u *dsnURL) loadFiles(c *tls.Config) error {
	if ca := u.query.Get("ssl_ca"); ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return fmt.Errorf("reading ssl_ca: %w", withoutPath(err))
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return errors.New("the file of ssl_ca has no certificate in PEM format")
		}
	}
	cert, key := u.query.Get("ssl_cert"), u.query.Get("ssl_key")
	if (cert == "") != (key == "") {
		return errors.New("ssl_cert and ssl_key must be given together: one is missing")
	}
	if cert == "" {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return fmt.Errorf("reading ssl_cert and ssl_key: %w", withoutPath(err))
	}
	c.Certificates = []tls.Certificate{pair}
	return nil
}

// withoutPath drops the name of the file: it comes from the DSN, and could contain part of a password that was not escaped.
func withoutPath(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// checks reports what is checked of the server's certificate: the chain of its issuers, and its hostname.
func (u *dsnURL) checks() (chain, hostname bool, err error) {
	modes := []string{"DISABLED", "PREFERRED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY"}
	switch u.query.Get("ssl_mode") {
	case "":
	case "VERIFY_IDENTITY":
		return true, true, nil
	case "VERIFY_CA":
		return true, false, nil
	case "REQUIRED", "PREFERRED":
		return false, false, nil
	default:
		return false, false, errors.New("its ssl_mode is not one of " + strings.Join(modes, ", ") + suggest.Hint(u.query.Get("ssl_mode"), modes))
	}
	verify, identity := u.query.Get("ssl_verify_cert"), u.query.Get("ssl_verify_identity")
	chain = u.query.Has("ssl_ca") || isTrue(verify) || isTrue(identity)
	if isFalse(verify) {
		chain = false
	}
	return chain, chain && !isFalse(identity) && !isFalse(u.query.Get("ssl_check_hostname")), nil
}

// verifyChain returns a check of the server's certificate without its hostname, for which crypto/tls has no setting.
func verifyChain(roots *x509.CertPool) func(tls.ConnectionState) error {
	return func(s tls.ConnectionState) error {
		opts := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
		for _, cert := range s.PeerCertificates[1:] {
			opts.Intermediates.AddCert(cert)
		}
		_, err := s.PeerCertificates[0].Verify(opts)
		return err
	}
}

// isOtherName reports whether the server's certificate is for another name, or has its name only in the old field for it, the
// common name.
func isOtherName(err error) bool {
	_, ok := errors.AsType[x509.HostnameError](err)
	return ok
}

// isTrue and isFalse parse a flag as the Python clients do.
func isTrue(s string) bool {
	switch strings.ToLower(s) {
	case "1", "true", "yes", "on", "required":
		return true
	}
	return false
}

func isFalse(s string) bool {
	switch strings.ToLower(s) {
	case "0", "false", "no", "off", "none":
		return true
	}
	return false
}
