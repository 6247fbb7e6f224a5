package sources

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"servicegroup_exporter/internal/testserver"
)

// The same URL gets the same answer in dsn, in nova.conf and in a cell: it is accepted, or refused with the same words. What
// OpenStack's deployers write is accepted, and so are the templates that they write into cell mappings.
func TestSameURLEverywhere(t *testing.T) {
	dir := t.TempDir()
	conf, good := filepath.Join(dir, "nova.conf"), filepath.Join(dir, "good.conf")
	require.NoError(t, os.WriteFile(good, []byte("[database]\nconnection = mysql://u:p@db/nova\n"), 0o600))
	// answers returns what is said about a URL in each place: nothing, or the words of the refusal.
	answers := func(url, cell string) map[string]bool {
		require.NoError(t, os.WriteFile(conf, []byte("[database]\nconnection = "+url+"\n"), 0o600))
		all := map[string]bool{}
		sections := []string{
			fmt.Sprintf("dsn: %q", url),
			fmt.Sprintf("nova_conf: %s", conf),
			fmt.Sprintf("nova_conf: %s, cells: [{name: c, dsn: %q}]", good, url),
		}
		if cell != "" {
			sections = append(sections, fmt.Sprintf("nova_conf: %s, cells: [{name: c, dsn: %q}]", conf, cell))
		}
		for _, section := range sections {
			_, err := Parse("f.yml", []byte("sources: [{name: a, driver: db, db: {"+section+"}}]\n"))
			answer := ""
			if err != nil {
				first, _, _ := strings.Cut(err.Error(), "\n")
				_, answer, _ = strings.Cut(strings.Replace(first, "connection: ", "dsn: ", 1), "dsn: ")
			}
			all[answer] = true
		}
		return all
	}
	for _, url := range []string{
		"mysql+pymysql://nova:pw@db/nova?charset=utf8&ssl_ca=/no/ca.pem",
		"mysql+pymysql://nova:pw@db/nova?sslca=/ca.pem",
		"mysql+pymysql://nova:pw@db/nova?ssl_mode=verify",
		"mysql+pymysql://nova:pw@h1,h2/nova",
		"mysql+pymysql://nova:pw@db/nova?collectd_host=localhost",
		"mysql+pymysql://nova:pw@db/nova?plugin=dbcounter&collectd_host=localhost",
		"postgresql://nova:pw@h1/nova?target_session_attrs=primry",
		"oracle://nova:pw@db/nova",
	} {
		said := answers(url, "")
		require.Len(t, said, 1, "%s: %v", url, said)
		require.NotContains(t, said, "", url)
	}
	require.Equal(t, map[string]bool{"": true}, answers("mysql+pymysql://nova:pw@db/nova?read_default_file=/no/my.cnf", ""))

	text, err := os.ReadFile("../drivers/db/testdata/deployers.yml")
	require.NoError(t, err)
	var deployers []struct{ From, URL, File, Cell string }
	require.NoError(t, yaml.Unmarshal(text, &deployers))
	require.Greater(t, len(deployers), 20)
	authority := testserver.NewAuthority(t)
	cert := authority.Issue("nova")
	options := filepath.Join(dir, "my.cnf")
	paths := strings.NewReplacer("CA", authority.File, "CERT", cert.CertFile, "KEY", cert.KeyFile, "FILE", options)
	for _, d := range deployers {
		require.NoError(t, os.WriteFile(options, []byte(paths.Replace(d.File)), 0o600))
		require.Equal(t, map[string]bool{"": true}, answers(paths.Replace(d.URL), d.Cell), d.From)
	}
}
