package db

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
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// An authority signs certificates for tests.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &authority{cert: cert, key: key, pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

// issue writes a certificate for the address, with its key, and returns the two files.
func (a *authority) issue(t *testing.T, dir, address string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "test server"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.ParseIP(address)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	require.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(certFile,
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(keyFile,
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600))
	return certFile, keyFile
}

// A server that takes encrypted connections only, with a certificate for 127.0.0.1.
func TestTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	trusted := newAuthority(t)
	certFile, keyFile := trusted.issue(t, dir, "127.0.0.1")
	ca, otherCA := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "other.pem")
	require.NoError(t, os.WriteFile(ca, trusted.pem, 0o600))
	require.NoError(t, os.WriteFile(otherCA, newAuthority(t).pem, 0o600))
	server := testserver.MariaDB(t, "--ssl-ca="+ca, "--ssl-cert="+certFile, "--ssl-key="+keyFile)
	db := table(t, server, "nova", zed)
	exec(t, db, "CREATE USER encrypted REQUIRE SSL; GRANT SELECT ON nova.* TO encrypted;"+
		"CREATE USER certified REQUIRE X509; GRANT SELECT ON nova.* TO certified")
	_, port, err := net.SplitHostPort(server.Addr())
	require.NoError(t, err)

	for _, test := range []struct {
		dsn  string
		fine bool
	}{
		{"mysql://encrypted@127.0.0.1:" + port + "/nova", false},
		{"mysql://encrypted@127.0.0.1:" + port + "/nova?ssl_ca=" + ca, true},
		{"mysql://encrypted@127.0.0.1:" + port + "/nova?ssl_ca=" + otherCA, false},
		{"mysql://encrypted@127.0.0.1:" + port + "/nova?ssl_mode=REQUIRED", true},
		{"mysql://encrypted@127.0.0.1:" + port + "/nova?ssl_mode=VERIFY_IDENTITY", false},
		{"mysql://encrypted@localhost:" + port + "/nova?ssl_mode=VERIFY_CA&ssl_ca=" + ca, true},
		{"mysql://encrypted@localhost:" + port + "/nova?ssl_mode=VERIFY_CA&ssl_ca=" + otherCA, false},
		{"mysql://encrypted@localhost:" + port + "/nova?ssl_ca=" + ca, false},
		{"mysql://certified@127.0.0.1:" + port + "/nova?ssl_ca=" + ca, false},
		{"mysql://certified@127.0.0.1:" + port + "/nova?ssl_ca=" + ca + "&ssl_cert=" + certFile + "&ssl_key=" + keyFile, true},
		{"encrypted@tcp(127.0.0.1:" + port + ")/nova?tls=skip-verify", true},
		{"encrypted@tcp(127.0.0.1:" + port + ")/nova?tls=true", false},
	} {
		_, err := open(t, config(test.dsn)).Members(t.Context())
		if test.fine {
			require.NoError(t, err, test.dsn)
		} else {
			require.ErrorIs(t, err, drivers.ErrUnavailable, test.dsn)
		}
	}
}
