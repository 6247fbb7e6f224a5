package sources

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// Cells whose mappings have the URLs of OpenStack's deployers are found and read, over TLS where an option file says so.
func TestDeployersCells(t *testing.T) {
	authority := testserver.NewAuthority(t)
	own := authority.Issue("127.0.0.1")
	server := testserver.MariaDB(t, "--ssl-ca="+authority.File, "--ssl-cert="+own.CertFile, "--ssl-key="+own.KeyFile)
	db := novaAPI(t, server, "nova_api")
	run := func(statement string, arguments ...any) {
		t.Helper()
		_, err := db.ExecContext(t.Context(), statement, arguments...)
		require.NoError(t, err, statement)
	}
	run("CREATE USER nova IDENTIFIED BY 'pw' REQUIRE SSL")
	run("GRANT SELECT ON *.* TO nova")
	options := func(text string) string {
		file := filepath.Join(t.TempDir(), "my.cnf")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		return file
	}
	tls := options("[client]\nssl-ca=" + authority.File + "\nssl=1\n[tripleo]\nssl-ca=" + authority.File + "\nbind-address=127.0.0.1\n")
	at := "mysql+pymysql://nova:pw@" + server.Addr() + "/nova"
	cells := map[string]string{
		"k8s":      at + "?read_default_file=" + tls,
		"tripleo":  at + "?read_default_file=" + tls + "&read_default_group=tripleo",
		"kolla":    at + "?ssl_ca=" + authority.File,
		"template": "{scheme}://{username}:{password}@{hostname}:{port}/nova?{query}",
		"plugins":  at + "?plugin=dbcounter&charset=utf8&ssl_ca=" + authority.File,
		"no-ca":    at + "?read_default_file=" + options("[client]\nssl-ca=/no/ca.pem\n"),
	}
	for name, dsn := range cells {
		run("INSERT INTO cell_mappings (uuid, name, transport_url, database_connection, disabled) VALUES (?, ?, 'none:///', ?, 0)", name, name, dsn)
	}
	x := expand(t, nil, "nova_conf: nova.conf", "[api_database]\nconnection = "+at+"_api?read_default_file="+tls+
		"\n[database]\nconnection = "+at+"_cell0?read_default_file="+tls+"\n")
	require.NoError(t, x.Discover(t.Context()))
	require.True(t, changed(x))
	for name := range cells {
		p, err := poll(t, x, "nova/"+name)
		if name == "no-ca" {
			require.ErrorContains(t, err, "reading ssl_ca: no such file or directory")
			continue
		}
		require.NoError(t, err, name)
		require.NotEmpty(t, p.Members, name)
	}
}
