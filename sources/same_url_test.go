package sources

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The same URL gets the same answer in dsn, in nova.conf and in a cell: it is accepted, or refused with the same words.
func TestSameURLEverywhere(t *testing.T) {
	dir := t.TempDir()
	conf, good := filepath.Join(dir, "nova.conf"), filepath.Join(dir, "good.conf")
	require.NoError(t, os.WriteFile(good, []byte("[database]\nconnection = mysql://u:p@db/nova\n"), 0o600))
	for _, url := range []string{
		"mysql+pymysql://nova:pw@192.0.2.9:3306/nova_cell0",
		"mysql+pymysql://nova:pw@db/nova?charset=utf8&plugin=dbcounter",
		"mysql+pymysql://nova:pw@db/nova?read_default_file=/no/my.cnf&read_default_group=tripleo",
		"mysql+pymysql://nova:pw@db/nova?charset=utf8&ssl_ca=/no/ca.pem",
		"mysql+pymysql://nova:pw@db/nova?sslca=/ca.pem",
		"mysql+pymysql://nova:pw@db/nova?ssl_mode=verify",
		"mysql+pymysql://nova:pw@h1,h2/nova",
		"postgresql://nova:pw@h1:5432,h2:5433/nova?target_session_attrs=read-write",
		"postgresql://nova:pw@h1/nova?target_session_attrs=primry",
		"oracle://nova:pw@db/nova",
	} {
		require.NoError(t, os.WriteFile(conf, []byte("[database]\nconnection = "+url+"\n"), 0o600))
		answers := map[string]bool{}
		for _, section := range []string{
			fmt.Sprintf("dsn: %q", url),
			fmt.Sprintf("nova_conf: %s", conf),
			fmt.Sprintf("nova_conf: %s, cells: [{name: c, dsn: %q}]", good, url),
		} {
			_, err := Parse("f.yml", []byte("sources: [{name: a, driver: db, db: {"+section+"}}]\n"))
			answer := ""
			if err != nil {
				first, _, _ := strings.Cut(err.Error(), "\n")
				_, answer, _ = strings.Cut(strings.Replace(first, "connection: ", "dsn: ", 1), "dsn: ")
			}
			answers[answer] = true
		}
		require.Len(t, answers, 1, "%s: %v", url, answers)
	}
}
