package db

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// An error of a server that does not speak PostgreSQL's protocol is one line, without remains of formatting.
func TestPostgresErrorIsOneLine(t *testing.T) {
	t.Parallel()
	for name, serve := range map[string]func(net.Conn){
		"mail":   func(c net.Conn) { fmt.Fprint(c, "220 mail.example ESMTP\r\n") },
		"closes": func(net.Conn) {},
		"SSH":    func(c net.Conn) { fmt.Fprint(c, "SSH-2.0-OpenSSH_9.2\r\n") },
		"HTTP":   func(c net.Conn) { fmt.Fprint(c, "HTTP/1.0 400 Bad Request\r\n\r\n") },
	} {
		address := testserver.FakeServer(t, serve)
		for _, mode := range []string{"prefer", "require", "disable"} {
			_, err := open(t, config("postgresql://u@"+address+"/nova?sslmode="+mode)).Members(t.Context())
			require.ErrorIs(t, err, drivers.ErrUnavailable, name)
			require.NotContains(t, err.Error(), "\n", name)
			require.NotContains(t, err.Error(), "\t", name)
			require.NotContains(t, err.Error(), "%!", name)
		}
	}
}

// A certificate for another name, or with its name only in the common name, gives a hint to the setting that accepts it.
func TestOtherNameIsExplained(t *testing.T) {
	err := fmt.Errorf("connecting: %w", &tls.CertificateVerificationError{
		Err: x509.HostnameError{Certificate: &x509.Certificate{}, Host: "db"},
	})
	_, hint := (&mysqlDatabase{}).classify(err)
	require.Contains(t, hint, "ssl_mode=VERIFY_CA")
	_, hint = (&postgresDatabase{}).classify(err)
	require.Contains(t, hint, "sslmode=verify-ca")
}
