package db

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// optionFile writes an option file, and returns its path.
func optionFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "my.cnf")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// URLs that the tools write which deploy OpenStack are read as they are. CA, CERT, KEY and FILE stand for paths of files.
func TestDeployersURLs(t *testing.T) {
	authority := testserver.NewAuthority(t)
	cert := authority.Issue("nova")
	for _, test := range []struct {
		from, dsn, file string
		address         string
		encrypted       bool
	}{
		{"Kolla-Ansible, nova.conf.j2", "mysql+pymysql://nova:pw@192.0.2.9:3306/nova_cell0", "", "192.0.2.9:3306/nova_cell0", false},
		{"Kolla-Ansible with TLS", "mysql+pymysql://nova:pw@192.0.2.9:3306/nova?ssl_ca=CA", "", "192.0.2.9:3306/nova", true},
		{"OpenStack-Ansible, os_nova", "mysql+pymysql://nova:pw@192.0.2.9:3306/nova?charset=utf8&ssl_verify_cert=true&ssl_ca=CA", "", "192.0.2.9:3306/nova", true},
		{"OpenStack-Ansible without TLS", "mysql+pymysql://nova_api:pw@192.0.2.9/nova_api?charset=utf8", "", "192.0.2.9:3306/nova_api", false},
		{
			"TripleO", "mysql+pymysql://nova:pw@overcloud.internalapi/nova_cell0?read_default_file=FILE&read_default_group=tripleo",
			"[tripleo]\nssl=1\nssl-ca=CA\nbind-address=192.0.2.1\n", "overcloud.internalapi:3306/nova_cell0", true,
		},
		{
			"TripleO without TLS", "mysql+pymysql://nova:pw@192.0.2.9/nova?read_default_group=tripleo&read_default_file=FILE",
			"[client]\nssl-ca=/not/there\n[tripleo]\nbind-address = 192.0.2.1\n", "192.0.2.9:3306/nova", false,
		},
		{
			"openstack-k8s-operators", "mysql+pymysql://nova_1:pw@openstack.openstack.svc/nova_cell0?read_default_file=FILE",
			"[client]\nssl-ca=CA\nssl=1\n", "openstack.openstack.svc:3306/nova_cell0", true,
		},
		{
			"openstack-k8s-operators without TLS", "mysql+pymysql://keystone:pw@openstack.svc/keystone?read_default_file=FILE",
			"[client]\nssl=0", "openstack.svc:3306/keystone", false,
		},
		{
			"Juju charms, with Nova's own test of such URLs", "mysql+pymysql://nova:pw@192.0.2.9/nova_api?charset=utf8&ssl_ca=CA&ssl_cert=CERT&ssl_key=KEY",
			"", "192.0.2.9:3306/nova_api", true,
		},
		{"DevStack", "mysql+pymysql://root:secret@127.0.0.1/nova_cell1?charset=utf8&plugin=dbcounter", "", "127.0.0.1:3306/nova_cell1", false},
		{"DevStack with PostgreSQL", "postgresql://root:secret@127.0.0.1/nova_cell1?client_encoding=utf8", "", "127.0.0.1:5432/nova_cell1", false},
		{"openstack-helm", "mysql+pymysql://nova:pw@mariadb.openstack.svc.cluster.local:3306/nova?charset=utf8&ssl_ca=CA&ssl_key=KEY&ssl_cert=CERT&ssl_verify_cert", "", "mariadb.openstack.svc.cluster.local:3306/nova", true},
		{"Atmosphere", "mysql+pymysql://nova:pw@percona-xtradb-haproxy.openstack.svc.cluster.local/nova", "", "percona-xtradb-haproxy.openstack.svc.cluster.local:3306/nova", false},
		{"Packstack", "mysql+pymysql://nova:pw@192.0.2.9/nova_api", "", "192.0.2.9:3306/nova_api", false},
		{"Ubuntu's packages", "sqlite:////var/lib/nova/nova.sqlite", "", "/var/lib/nova/nova.sqlite", false},
		{"libpq", "postgresql://nova:pw@h1:5432,h2:5433/nova?target_session_attrs=read-write", "", "h1:5432/nova", false},
		{"libpq, other ports", "postgresql+psycopg2://nova:pw@h1,[fd00::2]:6432/nova?target_session_attrs=primary", "", "h1:5432/nova", false},
		{"SQLAlchemy's pools", "postgresql+psycopg2://nova:pw@h1/nova?pool_recycle=60&pool_pre_ping=true", "", "h1:5432/nova", false},
	} {
		paths := strings.NewReplacer("CA", authority.File, "CERT", cert.CertFile, "KEY", cert.KeyFile)
		if test.file != "" {
			test.dsn = strings.Replace(test.dsn, "FILE", optionFile(t, paths.Replace(test.file)), 1)
		}
		got, err := parseDSN(paths.Replace(test.dsn))
		require.NoError(t, err, test.from)
		require.Equal(t, test.address, got.address(), test.from)
		require.False(t, got.noOptionFile)
		if got.mysql != nil {
			require.Equal(t, test.encrypted, got.mysql.TLS != nil, test.from)
		}
	}
	several, err := parseDSN("postgresql://nova:pw@h1:5432,h2:5433/nova?target_session_attrs=read-write&sslmode=disable")
	require.NoError(t, err)
	require.Len(t, several.postgres.Fallbacks, 1)
	require.Equal(t, uint16(5433), several.postgres.Fallbacks[0].Port)
	require.NotNil(t, several.postgres.ValidateConnect)
}

// A part of the URL comes before the option file. Dashes and underscores are the same there, and a value may be quoted.
func TestOptionFile(t *testing.T) {
	for text, want := range map[string]string{
		"[client]\nsocket = /run/a.sock":                       "u:p@/run/a.sock",
		"[client]\nSOCKET='/run/b.sock'\n":                     "u:p@/run/b.sock",
		"\ufeff[client]\r\nport=3307\r\ncharset=utf8\r\n":      "u:p@h:3307",
		"!includedir /etc/my.cnf.d\n[client]\n# x\nport=1":     "u:p@h:1",
		"[mysqld]\nport=1\n[client]\nuser=other\nhost=other\n": "u:p@h:3306",
		"[client]\npassword=other\n[clients]\nport=2":          "u:p@h:3306",
		"[client]\nport=1\nport=2":                             "u:p@h:2",
	} {
		got, err := parseDSN("mysql://u:p@h/nova?read_default_file=" + optionFile(t, text))
		require.NoError(t, err, text)
		require.Equal(t, want, got.mysql.User+":"+got.mysql.Passwd+"@"+got.mysql.Addr, text)
	}
	got, err := parseDSN("mysql:///nova?read_default_group=x&read_default_file=" + optionFile(t, "[x]\nuser=u\npassword=\"p\"\nhost=h\nssl"))
	require.NoError(t, err)
	require.Equal(t, "u:p@h:3306", got.mysql.User+":"+got.mysql.Passwd+"@"+got.mysql.Addr)
	require.True(t, got.mysql.AllowFallbackToPlaintext, "ssl alone encrypts if the server can")

	for text, want := range map[string]string{
		"[client]\nssl-ca=/no/sesame.pem":                        "reading ssl_ca: no such file or directory",
		"[client]\nssl_ca=/dev/null\npassword=sesame":            "the file of ssl_ca has no certificate in PEM format",
		"[client]\nssl-cert=/no/sesame":                          "ssl_cert and ssl_key must be given together: one is missing",
		"[client]\nssl-capath=/sesame":                           "the file of read_default_file has ssl-capath, which is not supported: use ssl-ca",
		"[client]\nx=" + strings.Repeat("sesame", maxOptionFile): "reading the file of read_default_file: it is larger than 1048576 bytes",
	} {
		_, err := parseDSN("mysql://u:p@h/nova?read_default_file=" + optionFile(t, text))
		require.EqualError(t, err, want)
	}
	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	for _, path := range []string{pipe, t.TempDir(), "/dev/zero", "/dev/null"} {
		_, err := parseDSN("mysql://u:p@h/nova?read_default_file=" + path)
		require.EqualError(t, err, "reading the file of read_default_file: it is not a regular file", path)
	}
}

// Parameters without an effect are logged once when the database is opened.
func TestIgnoredParameters(t *testing.T) {
	for dsn, want := range map[string]string{
		"mysql://u:p@h/nova?read_default_file=/no/my.cnf": "The file of read_default_file does not exist",
		"mysql://u:p@h/nova?plugin=dbcounter":             "parameters=[plugin]",
		"postgresql://u:p@h/nova?pool_size=5&echo=true":   `parameters="[echo pool_size]"`,
		"mysql://u:p@h/nova?charset=utf8":                 "",
	} {
		var log bytes.Buffer
		cfg := DefaultConfig()
		cfg.DSN = drivers.SecretText(dsn)
		d, err := Open(cfg, slog.New(slog.NewTextHandler(&log, nil)))
		require.NoError(t, err, dsn)
		require.NoError(t, d.Close())
		require.Equal(t, want != "", log.Len() > 0, log.String())
		require.Contains(t, log.String(), want)
		require.LessOrEqual(t, strings.Count(log.String(), "\n"), 1)
	}
}
