package testserver

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// An Authority issues certificates.
type Authority struct {
	File string // its own certificate

	t    TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// A Certificate is a certificate with its key. All users may read its files, because servers run as other users.
type Certificate struct {
	CertFile, KeyFile string
	// File has both, the key first.
	File string
}

// NewAuthority returns a new authority, which no server or client trusts yet.
func NewAuthority(t TB) *Authority {
	t.Helper()
	a := &Authority{t: t, cert: template("test authority "+rand.Text(), time.Hour)}
	a.cert.IsCA, a.cert.BasicConstraintsValid, a.cert.KeyUsage = true, true, x509.KeyUsageCertSign
	a.File = filepath.Join(a.dir(), "ca.pem")
	a.key = a.newKey()
	a.write(a.File, a.sign(a.cert, a.key))
	return a
}

// Issue returns a certificate for servers and clients with these names and addresses.
func (a *Authority) Issue(names ...string) *Certificate {
	a.t.Helper()
	return a.issue(template("test certificate", time.Hour), names)
}

// IssueFor returns a certificate like that of Issue with another lifetime.
func (a *Authority) IssueFor(lifetime time.Duration, names ...string) *Certificate {
	a.t.Helper()
	return a.issue(template("test certificate", lifetime), names)
}

// IssueExpired returns a certificate that expired one minute ago.
func (a *Authority) IssueExpired(names ...string) *Certificate {
	a.t.Helper()
	return a.issue(template("test certificate", -time.Minute), names)
}

// IssueCommonName returns a certificate that has its name as the common name only, as many old ones do.
func (a *Authority) IssueCommonName(name string) *Certificate {
	a.t.Helper()
	return a.issue(template(name, time.Hour), nil)
}

func (a *Authority) issue(cert *x509.Certificate, names []string) *Certificate {
	a.t.Helper()
	cert.KeyUsage = x509.KeyUsageDigitalSignature
	cert.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			cert.IPAddresses = append(cert.IPAddresses, ip)
		} else {
			cert.DNSNames = append(cert.DNSNames, name)
		}
	}
	key := a.newKey()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatalf("encoding a key: %v", err)
	}
	public, private := a.sign(cert, key), &pem.Block{Type: "PRIVATE KEY", Bytes: der}
	dir := a.dir()
	c := &Certificate{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), filepath.Join(dir, "both.pem")}
	a.write(c.CertFile, public)
	a.write(c.KeyFile, private)
	a.write(c.File, private, public)
	return c
}

// Replace replaces the files of this certificate by the files of another one, as tools that renew certificates do.
func (c *Certificate) Replace(t TB, by *Certificate) {
	t.Helper()
	for to, from := range map[string]string{c.CertFile: by.CertFile, c.KeyFile: by.KeyFile, c.File: by.File} {
		if err := os.Rename(from, to); err != nil {
			t.Fatalf("replacing a certificate: %v", err)
		}
	}
}

func template(name string, lifetime time.Duration) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(lifetime),
	}
}

func (a *Authority) newKey() *ecdsa.PrivateKey {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatalf("making a key: %v", err)
	}
	return key
}

// sign returns a certificate for the key.
func (a *Authority) sign(cert *x509.Certificate, key *ecdsa.PrivateKey) *pem.Block {
	a.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, cert, a.cert, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatalf("signing a certificate: %v", err)
	}
	return &pem.Block{Type: "CERTIFICATE", Bytes: der}
}

// dir creates a folder that other users can read.
func (a *Authority) dir() string {
	a.t.Helper()
	dir := TempDir(a.t)
	if err := os.Chmod(dir, 0o755); err != nil {
		a.t.Fatalf("making a folder readable for all users: %v", err)
	}
	return dir
}

func (a *Authority) write(file string, blocks ...*pem.Block) {
	a.t.Helper()
	var text []byte
	for _, block := range blocks {
		text = append(text, pem.EncodeToMemory(block)...)
	}
	if err := os.WriteFile(file, text, 0o644); err != nil {
		a.t.Fatalf("writing a certificate: %v", err)
	}
}
