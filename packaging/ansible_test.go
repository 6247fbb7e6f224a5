package packaging

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

const (
	installCollection = "ansible-galaxy collection install /mnt/collection"
	playKolla         = "ansible-playbook -i /mnt/inventory -e node_custom_config=/srv/config servicegroup.exporter.kolla -e @/mnt/"
	playSite          = "ansible-playbook -i /mnt/inventory servicegroup.exporter.site -e @/mnt/"
)

// vars are variables for a playbook.
type vars map[string]any

// with returns the variables with some others, and without those that are nil there.
func (v vars) with(others vars) vars {
	all := maps.Clone(v)
	maps.Copy(all, others)
	maps.DeleteFunc(all, func(_ string, value any) bool { return value == nil })
	return all
}

// write writes the variables to a file in the machine's folder /mnt.
func (v vars) write(t *testing.T, folder, file string) {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, file), text, 0o600))
}

// config is a configuration with one source. Its dsn_file is beside it.
func config(name, dsnFile string) map[string]any {
	return map[string]any{"sources": []any{map[string]any{"name": name, "driver": "db", "db": map[string]any{"dsn_file": dsnFile}}}}
}

// prepareAnsible puts the collection and an inventory into the folder, and returns variables that install one of its packages.
func prepareAnsible(t *testing.T, folder, file string) vars {
	t.Helper()
	collection := filepath.Join(folder, "collection")
	require.NoError(t, os.RemoveAll(collection))
	require.NoError(t, os.CopyFS(collection, os.DirFS("ansible")))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "inventory"),
		[]byte("[control]\nlocalhost ansible_connection=local\n[servicegroup_exporter:children]\ncontrol\n"), 0o600))
	packages, err := filepath.Glob(filepath.Join(folder, file))
	require.NoError(t, err)
	require.Len(t, packages, 1)
	return vars{
		"servicegroup_exporter_package": "/mnt/" + filepath.Base(packages[0]),
		"servicegroup_exporter_files":   map[string]string{"dsn": "sqlite:////var/lib/servicegroup_exporter/a.db"},
		"servicegroup_exporter_config":  config("by-ansible", "dsn"),
		"servicegroup_exporter_cluster": "cloud-a",
	}
}

// checkAnsible runs the playbooks on a machine: check mode changes nothing, they install and configure the exporter, change nothing when
// they run again, and fail for a configuration that the exporter refuses.
func checkAnsible(t *testing.T, folder string) {
	t.Helper()
	good := prepareAnsible(t, folder, "*_"+older+"*.deb")
	good.write(t, folder, "vars.json")
	m := boot(t, folder)
	m.run(installCollection)

	require.Contains(t, m.run(playKolla+"vars.json --check"), "failed=0")
	m.fails("ls /usr/bin/servicegroup_exporter /srv/config")
	require.Contains(t, m.run(playKolla+"vars.json"), "failed=0")
	m.eventually(web+"/metrics", `servicegroup_source_up{source="by-ansible"} 1`)
	require.Equal(t, "640 root servicegroup_exporter", m.run("stat --format='%a %U %G' /etc/servicegroup_exporter/dsn"))
	job := m.run("cat /srv/config/prometheus/prometheus.yml.d/50-servicegroup.yml")
	require.Contains(t, job, `targets: ["localhost:10199"]`)
	require.Contains(t, job, `labels: {"cluster": "cloud-a"}`)
	m.run("promtool check config --syntax-only /srv/config/prometheus/prometheus.yml.d/50-servicegroup.yml")
	m.run("promtool check rules /srv/config/prometheus/servicegroup.rules")
	require.Contains(t, m.run("cat /srv/config/prometheus/servicegroup.rules"), `{source="by-ansible"}`, "the rules are those of the configuration")
	const program = "servicegroup_exporter --config.file=/etc/servicegroup_exporter/servicegroups.yml "
	m.run(program + "rules | cmp - /srv/config/prometheus/servicegroup.rules")
	for _, name := range []string{"overview", "group", "detection", "exporter"} {
		m.run(program + "dashboards " + name + " | cmp - /srv/config/grafana/dashboards/" + name + ".json")
	}

	for _, again := range []string{"", " --check"} {
		out := m.run(playKolla + "vars.json" + again)
		require.NotRegexp(t, `changed=[1-9]`, out, "a second run must not change anything")
	}
	checkRefused(m, good, folder)
	checkServiceSettings(m, good, folder)
	checkDownload(m, good, folder)
	checkAccount(m, good, folder)
}

// checkRefused runs playbooks with variables that are wrong. What runs stays as it was.
func checkRefused(m *machine, good vars, folder string) {
	m.t.Helper()
	alerting := config("by-ansible", "dsn")
	alerting["alerting"] = map[string]any{"alertmanagers": []any{map[string]string{"url": "http://127.0.0.1:9093"}}}
	noCertificate := map[string]any{"tls_server_config": map[string]string{"cert_file": "none", "key_file": "none"}}
	for want, wrong := range map[string]vars{
		"/etc/servicegroup_exporter/none": {"servicegroup_exporter_web_config": noCertificate},
		"no such file":                    {"servicegroup_exporter_config": config("by-ansible", "none")},
		"Set alerting.external_labels.cluster in servicegroup_exporter_config": {"servicegroup_exporter_config": alerting},
		"missing required arguments: servicegroup_exporter_config":             {"servicegroup_exporter_config": nil},
		"unable to convert to dict":                                            {"servicegroup_exporter_files": "dsn"},
		"Set servicegroup_exporter_version":                                    {"servicegroup_exporter_url": "http://127.0.0.1:1"},
	} {
		good.with(wrong).write(m.t, folder, "wrong.json")
		out, err := m.try(playSite + "wrong.json")
		require.Error(m.t, err, want)
		require.Contains(m.t, out, want)
	}
	m.run("grep by-ansible /etc/servicegroup_exporter/servicegroups.yml")
	m.run("systemctl is-active " + unit)
	m.fails("ls /etc/servicegroup_exporter/web-config.yml*")
}

// checkServiceSettings adds TLS, a password, arguments and environment.
func checkServiceSettings(m *machine, good vars, folder string) {
	m.t.Helper()
	files := certificate(m.t)
	files["dsn"] = "sqlite:////var/lib/servicegroup_exporter/a.db"
	environment := config("by-ansible", "dsn")
	environment["sources"].([]any)[0].(map[string]any)["db"] = map[string]string{"dsn_env": "THE_DSN"}
	good.with(vars{
		"servicegroup_exporter_files":            files,
		"servicegroup_exporter_config":           environment,
		"servicegroup_exporter_environment":      map[string]string{"THE_DSN": "sqlite:////var/lib/servicegroup_exporter/$b.db"},
		"servicegroup_exporter_args":             []string{"--compat.openstack-exporter"},
		"servicegroup_exporter_listen_addresses": []string{"127.0.0.1:10200", "unix:///run/servicegroup_exporter/web.sock"},
		"servicegroup_exporter_web_config": map[string]any{
			"tls_server_config": map[string]string{"cert_file": "tls.crt", "key_file": "tls.key"},
			"basic_auth_users":  map[string]string{"prometheus": "$2b$05$rbx2TIXP4kZJM9kFwpJCpe.5nhITU.v0nwkGTjQTf43r46Q0j3Ei2"},
		},
	}).write(m.t, folder, "web.json")
	require.Contains(m.t, m.run(playSite+"web.json"), "failed=0")
	m.run(`tr '\0' '\n' </proc/` + mainPID(m) + `/environ | grep -xF 'THE_DSN=sqlite:////var/lib/servicegroup_exporter/$b.db'`)
	require.Equal(m.t, "401", m.run("curl -sk -o /dev/null -w '%{http_code}' https://127.0.0.1:10200/metrics"))
	m.eventually("curl -sSk --fail -u prometheus:secret https://127.0.0.1:10200/metrics", `servicegroup_source_up{source="by-ansible"} 1`)
	require.NotRegexp(m.t, `changed=[1-9]`, m.run(playSite+"web.json"))
	m.run(playSite + "vars.json")
	m.eventually(web+"/metrics", `servicegroup_source_up{source="by-ansible"} 1`)
}

// checkDownload upgrades to a version that is downloaded, with the checksums of the release, and refuses a file with another one.
func checkDownload(m *machine, good vars, folder string) {
	m.t.Helper()
	download := m.download(good, "*_"+newer+"*.deb")
	download.with(vars{"servicegroup_exporter_checksum": "sha256:" + fmt.Sprintf("%064d", 0)}).write(m.t, folder, "download.json")
	out, err := m.try(playSite + "download.json")
	require.Error(m.t, err)
	require.Contains(m.t, out, "The checksum for")
	m.eventually(web+"/metrics", `version="`+older+`"`)

	download.write(m.t, folder, "download.json")
	require.Contains(m.t, m.run(playSite+"download.json --check"), "failed=0")
	require.Contains(m.t, m.run(playSite+"download.json"), "failed=0")
	m.eventually(web+"/metrics", `version="`+newer+`"`)
	require.NotRegexp(m.t, `changed=[1-9]`, m.run(playSite+"download.json"))
	m.run("systemctl stop files")

	m.run(playSite + "vars.json") // back to the older version
	m.eventually(web+"/metrics", `version="`+older+`"`)
}

// download serves a package of the machine's folder /mnt with its checksum, and returns variables to install it.
func (m *machine) download(good vars, file string) vars {
	m.t.Helper()
	m.run("mkdir /srv/release && cp /mnt/" + file + " /srv/release && cd /srv/release && sha256sum -- * >sha256sums.txt")
	m.serve("/srv/release")
	return good.with(vars{
		"servicegroup_exporter_package": "", "servicegroup_exporter_url": "http://127.0.0.1:8000", "servicegroup_exporter_version": newer,
	})
}

// checkRepository goes back to the older version, which the repositories of the host have too.
func checkRepository(m *machine, good vars, folder string) {
	m.t.Helper()
	good.with(vars{"servicegroup_exporter_package": "", "servicegroup_exporter_version": older}).write(m.t, folder, "repository.json")
	require.Contains(m.t, m.run(playSite+"repository.json --tags install"), "changed=1")
	m.eventually(web+"/metrics", `version="`+older+`"`)
	require.Contains(m.t, m.run(playSite+"repository.json --tags install"), "changed=0")
}

// checkAnsibleRPM runs the role with dnf, on a Debian that says that it is a Rocky Linux.
func checkAnsibleRPM(t *testing.T, folder string) {
	good := prepareAnsible(t, folder, "*-"+older+"-1.*.rpm")
	good.write(t, folder, "vars.json")
	m := boot(t, folder)
	m.useDNF()
	m.write("/etc/os-release", "ID=rocky\nID_LIKE=\"rhel centos fedora\"\nNAME=\"Rocky Linux\"\nVERSION_ID=9.4")
	m.write("/etc/redhat-release", "Rocky Linux release 9.4 (Blue Onyx)")
	m.run("mv /etc/debian_version /srv")
	m.run(installCollection)

	require.Contains(t, m.run(playSite+"vars.json --check"), "failed=0")
	m.fails("ls /usr/bin/servicegroup_exporter")
	require.Contains(t, m.run(playSite+"vars.json"), "failed=0")
	m.eventually(web+"/metrics", `servicegroup_source_up{source="by-ansible"} 1`)
	m.run("systemctl is-enabled " + unit)
	require.Contains(t, m.run(playSite+"vars.json"), "changed=0")

	m.download(good, "*-"+newer+"-1.*.rpm").write(t, folder, "download.json")
	require.Contains(t, m.run(playSite+"download.json --tags install"), "changed=2")
	m.eventually(web+"/metrics", `version="`+newer+`"`)
	m.addDNF()
	checkRepository(m, good, folder)
	checkSELinux(m, folder)
}

// checkSELinux adds the port to a policy, on a kernel without SELinux, which the facts say is on.
func checkSELinux(m *machine, folder string) {
	m.t.Helper()
	policy, err := os.ReadFile("testdata/policy.cil")
	require.NoError(m.t, err)
	m.write("/srv/policy.cil", string(policy))
	m.write("/etc/selinux/config", "SELINUX=permissive\nSELINUXTYPE=test")
	m.write("/etc/selinux/semanage.conf", "module-store = direct\nexpand-check = 0\ndisable-genhomedircon = true")
	m.run("mkdir -p /var/lib/selinux/test /etc/selinux/test/contexts/files && semodule --store=test --noreload --install=/srv/policy.cil")
	require.NoError(m.t, os.WriteFile(filepath.Join(folder, "selinux.yml"), []byte(`- hosts: servicegroup_exporter
  tasks:
    - ansible.builtin.set_fact: {selinux: {status: enabled}, cacheable: true}
    - ansible.builtin.import_role: {name: servicegroup.exporter.servicegroup_exporter, tasks_from: selinux}
`), 0o600))
	const play = "ansible-playbook -i /mnt/inventory /mnt/selinux.yml -e @/mnt/vars.json"
	ports := func() string { return m.run("semanage port --list --noheading | grep '^http_port_t *tcp'") }
	before := ports()
	require.NotContains(m.t, before, "10199")
	require.Contains(m.t, m.run(play+" --check"), "failed=0")
	require.Equal(m.t, before, ports())
	require.Contains(m.t, m.run(play), "changed=1")
	require.Contains(m.t, ports(), "10199")
	require.Contains(m.t, m.run(play), "changed=0")
}

// checkAccount lets the role make an account in a real MariaDB. It may read the columns, and nothing else.
func checkAccount(m *machine, good vars, folder string) {
	m.t.Helper()
	m.startMariaDB()
	m.run("mariadb -e 'CREATE DATABASE nova; CREATE TABLE nova.services (host VARCHAR(9), topic VARCHAR(9), secret INT); CREATE TABLE nova.other (a INT)'")
	account := func(password string, columns ...string) {
		good.with(vars{
			"servicegroup_exporter_account": map[string]any{
				"name": "exporter", "password": password, "host": "%", "tables": map[string][]string{"nova.services": columns},
			},
		}).write(m.t, folder, "account.json")
		require.Contains(m.t, m.run(playSite+"account.json --tags account --check"), "failed=0")
		require.Contains(m.t, m.run(playSite+"account.json --tags account"), "changed=1")
		require.Contains(m.t, m.run(playSite+"account.json --tags account"), "changed=0")
	}
	const asExporter = "mariadb --no-defaults --host=127.0.0.1 --user=exporter --password="
	account(`it's a "secret" \`, "host", "topic")
	m.run(asExporter + `'it'"'"'s a "secret" \' -e 'SELECT host, topic FROM nova.services'`)
	m.fails(asExporter + `'it'"'"'s a "secret" \' -e 'SELECT secret FROM nova.services'`)
	m.fails(asExporter + `'it'"'"'s a "secret" \' -e 'SELECT * FROM nova.other'`)
	account("another", "host", "topic")
	account("another", "host", "topic", "secret")
	m.run(asExporter + "another -e 'SELECT * FROM nova.services'")
}

// startMariaDB starts a server with the usual socket and port. It has no anonymous users, as on Debian.
func (m *machine) startMariaDB() {
	m.t.Helper()
	m.run("mkdir -p /srv/mariadb /run/mysqld && mariadb-install-db --no-defaults --skip-test-db --user=root --datadir=/srv/mariadb >/dev/null")
	m.run("systemd-run --unit=mariadb-test mariadbd --no-defaults --user=root --datadir=/srv/mariadb --socket=/run/mysqld/mysqld.sock " +
		"--port=3306 --bind-address=127.0.0.1")
	m.eventually(`mariadb -e "SELECT 'serving'"`, "serving")
}

// checkReadme installs the packages as the README says, in a clone.
func checkReadme(t *testing.T) {
	clone := commit(t, checkout(t, filepath.Join(t.TempDir(), "clone"), "022"))
	build, apt := install(t, "Debian, Ubuntu")
	shell(t, clone, build)

	m := boot(t, clone)
	r := m.reader()
	r.must(t, apt)
	m.eventually(web+"/-/ready", "ready")
	m.run("dpkg --purge servicegroup-exporter")
	again, dnf := install(t, "Fedora, RHEL")
	require.Equal(t, build, again)
	m.useDNF()
	r.must(t, dnf)
	m.run("systemctl start " + unit)
	m.eventually(web+"/-/ready", "ready")
}

// readersFolder returns a folder as the reader of a page about Ansible has it, with the collection and the package that make packages built.
func readersFolder(t *testing.T, folder string) string {
	t.Helper()
	here := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(here, "packaging", "ansible"), os.DirFS("ansible")))
	debs, err := filepath.Glob(filepath.Join(folder, "*_"+older+"*.deb"))
	require.NoError(t, err)
	require.Len(t, debs, 1)
	dist := filepath.Join(here, "dist", "linux-"+runtime.GOARCH)
	require.NoError(t, os.MkdirAll(dist, 0o755))
	require.NoError(t, os.Link(debs[0], filepath.Join(dist, filepath.Base(debs[0]))))
	return here
}

// ansibleReader returns a reader on the machine, whose folder is readersFolder.
func (m *machine) ansibleReader(replace ...string) *reader {
	m.t.Helper()
	return m.reader(append(replace, "make packages", "true")...) // They are there already.
}

// checkAnsiblePage takes the steps of the documentation on a machine with Nova's table in a MariaDB: those for plain hosts, and those for
// a cloud of Kolla-Ansible, which has a container mariadb.
func checkAnsiblePage(t *testing.T, folder string) {
	t.Helper()
	const page = "../docs/ansible.md"
	here := readersFolder(t, folder)
	table, err := os.ReadFile("../drivers/db/testdata/zed.sql")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(here, "zed.sql"), table, 0o600))

	m := boot(t, here)
	m.startMariaDB()
	m.run("mariadb -e 'CREATE DATABASE nova' && mariadb nova </mnt/zed.sql")
	r := m.ansibleReader()
	r.follow(t, part(t, page, "## From nothing to a serving exporter"))
	r.follow(t, part(t, page, "## Parts"))
	m.run("promtool check rules /etc/prometheus/servicegroup.rules.yml")

	m.run(`mariadb -e "DROP USER exporter; ALTER USER root@localhost IDENTIFIED BY 'by kolla'"`)
	m.write("/etc/kolla/inventory", "[control]\nlocalhost ansible_connection=local")
	m.write("/etc/kolla/passwords.yml", "database_password: by kolla")
	m.script("docker", `[ "$1 $2 $3 $4 $5" = "exec -i -e MYSQL_PWD mariadb" ] && shift 5 && exec "$@"`)
	m.script("kolla-ansible", `echo "$@" >/srv/kolla-ansible`)
	m.run("sed -i /^servicegroup_exporter_rules_file/d /mnt/vars.yml") // as the page says
	r.follow(t, part(t, page, "## Kolla-Ansible"))
	m.eventually(web+"/metrics", `servicegroup_source_up{source="nova"} 1`)
	m.run("promtool check rules /etc/kolla/config/prometheus/servicegroup.rules")
	require.Equal(t, "reconfigure --tags prometheus,grafana", m.run("cat /srv/kolla-ansible"))
}

// Each role describes all of its variables, with the defaults that it has.
func TestArgumentSpecs(t *testing.T) {
	for _, role := range []string{"servicegroup_exporter", "servicegroup_join"} {
		var spec struct {
			ArgumentSpecs struct {
				Main struct {
					Options map[string]struct {
						Required bool
						Default  any
					}
				}
			} `json:"argument_specs"`
		}
		var defaults map[string]any
		for file, into := range map[string]any{"meta/argument_specs.yml": &spec, "defaults/main.yml": &defaults} {
			text, err := os.ReadFile(filepath.Join("ansible", "roles", role, file))
			require.NoError(t, err)
			require.NoError(t, yaml.Unmarshal(text, into))
		}
		options := spec.ArgumentSpecs.Main.Options
		described := map[string]any{}
		for name, option := range options {
			if !option.Required {
				described[name] = option.Default
			}
		}
		require.Equal(t, defaults, described)
		page, err := os.ReadFile("../docs/ansible.md")
		require.NoError(t, err)
		var documented []string
		for _, match := range regexp.MustCompile("(?m)^\\| `("+role+"_\\w+)`").FindAllStringSubmatch(string(page), -1) {
			documented = append(documented, match[1])
		}
		require.ElementsMatch(t, slices.Sorted(maps.Keys(options)), documented)
	}
}
