package db

import (
	"encoding/binary"
	"io"
	"net"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// asksFor returns the address of a server with MySQL's protocol that asks every client for a method of authentication.
func asksFor(t *testing.T, method string) string {
	t.Helper()
	packet := func(number byte, body []byte) []byte {
		return append([]byte{byte(len(body)), byte(len(body) >> 8), 0, number}, body...)
	}
	const capabilities = 0x000fa68d // Protocol 4.1, secure connection, authentication plugins.
	greeting := slices.Concat([]byte{10}, []byte("8.0.31\x00"), make([]byte, 4), []byte("12345678\x00"),
		binary.LittleEndian.AppendUint16(nil, capabilities&0xffff), []byte{45, 2, 0}, binary.LittleEndian.AppendUint16(nil, capabilities>>16),
		[]byte{21}, make([]byte, 10), []byte("123456789012\x00"), []byte("mysql_native_password\x00"))
	return testserver.FakeServer(t, func(c net.Conn) {
		if _, err := c.Write(packet(0, greeting)); err != nil {
			return
		}
		header := make([]byte, 4)
		if _, err := io.ReadFull(c, header); err != nil {
			return
		}
		if _, err := io.CopyN(io.Discard, c, int64(header[0])|int64(header[1])<<8); err != nil {
			return
		}
		_, _ = c.Write(packet(2, slices.Concat([]byte{0xfe}, []byte(method), []byte("\x0012345678901234567890\x00"))))
		_, _ = io.Copy(io.Discard, c)
	})
}

// A method of authentication that is not supported is named, with the reason auth. docs/security.md has the same list.
func TestUnsupportedAuthentication(t *testing.T) {
	t.Parallel()
	for method, says := range map[string]string{
		"auth_gssapi_client":              `this authentication plugin is not supported: "auth_gssapi_client"`,
		"authentication_kerberos_client":  `this authentication plugin is not supported: "authentication_kerberos_client"`,
		"authentication_ldap_sasl_client": `this authentication plugin is not supported: "authentication_ldap_sasl_client"`,
		"dialog":                          `this authentication plugin is not supported: "dialog"`, // PAM
		"parsec":                          `this authentication plugin is not supported: "parsec"`,
		"mysql_clear_password":            "this user requires clear text authentication",
		"mysql_old_password":              "this user requires old password authentication",
	} {
		_, err := open(t, config("mysql://u:p@"+asksFor(t, method)+"/nova")).Members(t.Context())
		require.Equal(t, drivers.ReasonAuth, drivers.ReasonOf(err), "%s: %v", method, err)
		require.ErrorContains(t, err, says)
		require.ErrorContains(t, err, "the server requires another authentication method")
	}
}
