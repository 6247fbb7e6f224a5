package packaging

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// checkAnsible runs the playbooks on a machine: they install and configure the exporter, change nothing when they run again,
// and fail for a configuration that the exporter refuses.
func checkAnsible(t *testing.T, folder string) {
	t.Helper()
	require.NoError(t, os.CopyFS(filepath.Join(folder, "packaging", "ansible"), os.DirFS("ansible")))
	require.NoError(t, os.CopyFS(filepath.Join(folder, "dashboards"), os.DirFS("../dashboards")))
	require.NoError(t, os.CopyFS(filepath.Join(folder, "alerts"), os.DirFS("../alerts")))
	debs, err := filepath.Glob(filepath.Join(folder, "*_"+older+"-*.deb"))
	require.NoError(t, err)
	require.Len(t, debs, 1)
	writeVars(t, folder, "vars.json", "/mnt/"+filepath.Base(debs[0]), "sqlite:////var/lib/servicegroup_exporter/a.db")
	writeVars(t, folder, "bad.json", "/mnt/"+filepath.Base(debs[0]), "nonsense")
	require.NoError(t, os.WriteFile(filepath.Join(folder, "inventory"), []byte("[control]\nlocalhost ansible_connection=local\n"), 0o600))
	m := boot(t, folder)
	run := "cd /mnt/packaging/ansible && ansible-playbook -i /mnt/inventory -e node_custom_config=/srv/config kolla.yml -e @/mnt/"

	require.Contains(t, m.run(run+"vars.json"), "failed=0")
	m.eventually(web+"/metrics", `servicegroup_source_up{source="by-ansible"} 1`)
	require.Equal(t, "640 root servicegroup_exporter", m.run("stat --format='%a %U %G' /etc/servicegroup_exporter/password"))
	require.Contains(t, m.run("cat /srv/config/prometheus/prometheus.yml.d/50-servicegroup.yml"), `targets: ["localhost:10199"]`)
	m.run("promtool check config --syntax-only /srv/config/prometheus/prometheus.yml.d/50-servicegroup.yml")
	m.run("promtool check rules /srv/config/prometheus/servicegroup.rules")
	m.run("ls /srv/config/grafana/dashboards/overview.json")

	require.Contains(t, m.run(run+"vars.json"), "changed=0", "a second run must not change anything")

	m.fails(run + "bad.json")
	m.run("grep by-ansible /etc/servicegroup_exporter/servicegroups.yml")
	m.run("systemctl is-active " + unit)
}

func writeVars(t *testing.T, folder, file, deb, dsn string) {
	t.Helper()
	text, err := json.Marshal(map[string]any{
		"servicegroup_exporter_package": deb,
		"servicegroup_exporter_files":   map[string]string{"password": "secret"},
		"servicegroup_exporter_config": map[string]any{
			"sources": []any{map[string]any{"name": "by-ansible", "driver": "db", "db": map[string]any{"dsn": dsn}}},
		},
	})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, file), text, 0o600))
}
