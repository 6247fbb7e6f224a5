package web

import (
	"path/filepath"
	"testing"

	"servicegroup_exporter/internal/testserver"
)

// HAProxy's bare option httpchk, which sends OPTIONS to /, finds the server up, on TCP and on a Unix socket.
func TestHAProxyChecksByOPTIONS(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "web.sock")
	r := serve(t, flagsOf("", "127.0.0.1:0", "unix://"+socket), everything(t), nil)
	testserver.HAProxyChecks(t, r.addrs[0]).WaitUp()
	testserver.HAProxyChecks(t, "unix@"+socket).WaitUp()
}
