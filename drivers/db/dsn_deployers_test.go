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
	"gopkg.in/yaml.v3"

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

// URLs that the tools write which deploy OpenStack are read as they are. The table has the file of the tool that writes each.
func TestDeployersURLs(t *testing.T) {
	authority := testserver.NewAuthority(t)
	cert := authority.Issue("nova")
	text, err := os.ReadFile("testdata/deployers.yml")
	require.NoError(t, err)
	var table []struct {
		From, Source, URL, File, Cell, Address string
		Encrypted                              bool
	}
	require.NoError(t, yaml.Unmarshal(text, &table))
	require.Greater(t, len(table), 20)
	for _, test := range table {
		paths := strings.NewReplacer("CA", authority.File, "CERT", cert.CertFile, "KEY", cert.KeyFile)
		url := paths.Replace(test.URL)
		if test.File != "" {
			url = strings.Replace(url, "FILE", optionFile(t, paths.Replace(test.File)), 1)
		}
		got, err := parseDSN(url)
		require.NoError(t, err, test.From)
		require.NotEmpty(t, test.Source, test.From)
		require.Equal(t, test.Address, got.address(), test.From)
		require.False(t, got.noOptionFile, test.From)
		if got.mysql != nil {
			require.Equal(t, test.Encrypted, got.mysql.TLS != nil, test.From)
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

// The parameters of SQLAlchemy's plugins are ignored with them, and without them refused.
func TestPluginParameters(t *testing.T) {
	for _, query := range []string{"collectd_host=h", "plugin=dbcounter&collectd_host=h", "plugin=collect&collectd_host=h", "plugin=&_host=h"} {
		_, err := parseDSN("mysql://u:p@h/nova?" + query)
		require.ErrorContains(t, err, "has a parameter after the question mark that is not known", query)
	}
}

// Parameters without an effect are logged once when the database is opened.
func TestIgnoredParameters(t *testing.T) {
	for dsn, want := range map[string]string{
		"mysql://u:p@h/nova?read_default_file=/no/my.cnf":                     "The file of read_default_file does not exist",
		"mysql://u:p@h/nova?plugin=dbcounter":                                 "parameters=[plugin]",
		"mysql://u:p@h/nova?plugin=a,collectd&plugin=b&collectd_host=h&b_x=1": `parameters="[b_x collectd_host plugin]"`,
		"postgresql://u:p@h/nova?pool_size=5&echo=true":                       `parameters="[echo pool_size]"`,
		"mysql://u:p@h/nova?charset=utf8":                                     "",
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
