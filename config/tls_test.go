package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
	"servicegroup_exporter/sources"
)

// Both drivers have the same section, whose paths begin at the file's folder.
func TestTLS(t *testing.T) {
	authority := testserver.NewAuthority(t)
	c := authority.Issue("client")
	file := filepath.Join(filepath.Dir(c.CertFile), "f.yml")
	of := func(tls string) (*config.Config, error) {
		return sources.Parse(file, []byte("sources:\n- name: zk\n  driver: zk\n  zk:\n    servers: [zk1]\n    tls: "+tls+
			"\n- name: mc\n  driver: mc\n  roster: {members: {a: [b]}}\n  mc:\n    servers: [mc1]\n    tls: "+tls+"\n"))
	}
	parsed, err := of("{ca_file: " + authority.File + ", cert_file: cert.pem, key_file: key.pem, server_name: elsewhere}")
	require.NoError(t, err)
	want := &drivers.TLS{CAFile: authority.File, CertFile: c.CertFile, KeyFile: c.KeyFile, ServerName: "elsewhere"}
	require.Equal(t, want, parsed.Sources[0].ZK.TLS)
	require.Equal(t, want, parsed.Sources[1].MC.TLS)

	parsed, err = of("{}")
	require.NoError(t, err)
	require.Equal(t, &drivers.TLS{}, parsed.Sources[0].ZK.TLS, "with the system's authorities")

	for tls, want := range map[string]string{
		"{ca_file: absent}":                       ":6: sources[0].zk.tls.ca_file: open ",
		"{ca_file: key.pem}":                      "key.pem has no certificate in PEM format",
		"{cert_file: cert.pem}":                   ":6: sources[0].zk.tls.key_file: is missing",
		"{key_file: key.pem}":                     ":12: sources[1].mc.tls.cert_file: is missing",
		"{cert_file: key.pem, key_file: key.pem}": ":6: sources[0].zk.tls.cert_file: with its key: ",
		"{insecure_skip_verify: true}":            `:6: sources[0].zk.tls: unknown key "insecure_skip_verify"; known are ca_file, cert_file, key_file, server_name`,
		"":                                        ":6: sources[0].zk.tls: has no value",
		"true":                                    ":12: sources[1].mc.tls: must be a mapping, not a single value",
		"{cert_file: cert.pem, key_file: absent}":   "absent: no such file or directory",
		"{ca_file: [ca.pem], server_name: a, b: c}": ":6: sources[0].zk.tls.ca_file: must be a single value, not a list",
	} {
		_, err := of(tls)
		require.ErrorContains(t, err, want, tls)
	}
}

// nova.conf has the TLS settings of oslo.cache. The key may be in the file of the certificate.
func TestNovaMemcachedTLS(t *testing.T) {
	authority := testserver.NewAuthority(t)
	c := authority.Issue("client")
	dir := t.TempDir()
	conf := "[DEFAULT]\nservicegroup_driver = mc\n[database]\nconnection = mysql://u@h/d\n[cache]\nenabled = true\n" +
		"backend = oslo_cache.memcache_pool\ntls_enabled = true\ntls_cafile = " + authority.File + "\ntls_certfile = " + c.File + "\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "nova.conf"), []byte(conf), 0o600))
	parsed, err := sources.Parse(filepath.Join(dir, "f.yml"), []byte("sources: [{name: nova, driver: db, db: {nova_conf: nova.conf}}]"))
	require.NoError(t, err)
	require.Equal(t, &drivers.TLS{CAFile: authority.File, CertFile: c.File, KeyFile: c.File}, parsed.Sources[0].Nova.MC.TLS)
}
