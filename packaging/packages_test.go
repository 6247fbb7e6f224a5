package packaging

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The test installs the older version and upgrades to the newer one.
const (
	older = "1.0.0"
	newer = "1.1.0+3.gabcdef0" // three commits after the tag
)

const (
	unit     = "servicegroup_exporter.service"
	joinUnit = "servicegroup_join@.service"
	web      = "curl -sS --fail http://127.0.0.1:10199"
)

// The packages can be installed, started, upgraded and completely removed on a Debian with systemd as process 1.
func TestPackages(t *testing.T) {
	folder := t.TempDir()
	key := newSigningKey(t)
	for _, version := range []string{older, newer} {
		build(t, folder, version, "SIGNING_KEY="+key)
	}
	shell(t, "..", "SOURCE_DATE_EPOCH=1700000000 tools/repositories "+folder+" && SIGNING_KEY="+key+" tools/sign "+folder)
	t.Run("lintian", func(t *testing.T) { checkLintian(t, folder) })
	t.Run("origin", func(t *testing.T) {
		checkOrigin(t, folder, newer, `The servicegroup_exporter Authors <\S+@users\.noreply\.\S+>`, `https://\S+`)
	})
	t.Run("deb", func(t *testing.T) {
		m := boot(t, folder)
		m.run("dpkg --install /mnt/*_1.0.0-*.deb")
		checkFiles(m)
		checkManual(m)
		checkCompletion(m, "/usr/share/zsh/vendor-completions")
		checkNotice(m, "/usr/share/doc/servicegroup-exporter/NOTICE")
		checkWebConfig(m)
		m.run("systemctl is-enabled " + unit)
		checkService(m)
		checkReload(m)
		checkWatchdog(m)

		m.run("dpkg --install /mnt/*_1.1.0*.deb")
		checkUpgraded(m)

		m.run("dpkg --remove servicegroup-exporter")
		checkRemoved(m)
		m.run("grep two /etc/servicegroup_exporter/servicegroups.yml")
		m.run("dpkg --install /mnt/*_1.1.0*.deb") // The service is enabled or disabled as before.
		m.eventually(web+"/metrics", `servicegroup_source_up{source="two"} 1`)

		m.run("dpkg --purge servicegroup-exporter")
		checkRemoved(m)
		m.fails("ls -d /etc/servicegroup_exporter /etc/default/servicegroup_exporter /var/lib/servicegroup_exporter 2>&1 | grep -v 'No such file'")
		m.fails("find /etc/systemd /var/lib/systemd | grep servicegroup_exporter.service$")
	})
	t.Run("rpm", func(t *testing.T) {
		const rpm = "rpm --force-debian --nodeps " // Debian's rpm does not see Debian's packages.
		m := boot(t, folder)
		m.run(rpm + "--install /mnt/*-1.0.0-1.*.rpm")
		checkFiles(m)
		checkManual(m)
		checkCompletion(m, "/usr/share/zsh/site-functions")
		checkNotice(m, "/usr/share/licenses/servicegroup-exporter/NOTICE")
		m.run("systemctl is-enabled " + unit) // Debian's presets enable everything.
		m.run("systemctl start " + unit)
		checkService(m)
		checkReload(m)

		m.run(rpm + "--upgrade /mnt/*-1.1.0*.rpm")
		checkUpgraded(m)

		m.run(rpm + "--erase servicegroup-exporter")
		checkRemoved(m)
		m.run("grep two /etc/servicegroup_exporter/servicegroups.yml.rpmsave")
		m.fails("find /etc/systemd | grep servicegroup_exporter.service$")
	})
	t.Run("apt", func(t *testing.T) { checkAPT(t, folder) })
	t.Run("dnf", func(t *testing.T) { checkDNF(t, folder) })
	t.Run("ansible", func(t *testing.T) { checkAnsible(t, folder) })
	t.Run("ansible with dnf", func(t *testing.T) { checkAnsibleRPM(t, folder) })
	t.Run("ansible.md", func(t *testing.T) { checkAnsiblePage(t, folder) })
	t.Run("README.md", checkReadme)
	t.Run("without systemd", func(t *testing.T) {
		m := boot(t, folder)
		m.run("umount -l /run && mount -t tmpfs run /run") // There is no /run/systemd, as in a container or a chroot.
		m.run("dpkg --install /mnt/*_1.0.0-*.deb")
		checkFiles(m)
		m.run("dpkg --purge servicegroup-exporter")
	})
}

// build builds the packages of a version in the folder, with variables of make.
func build(t *testing.T, folder, version string, variables ...string) {
	t.Helper()
	dist := t.TempDir()
	arguments := append([]string{"--directory=..", "packages", "VERSION=" + version, "DIST=" + dist}, variables...)
	out, err := exec.CommandContext(t.Context(), "make", arguments...).CombinedOutput()
	require.NoError(t, err, string(out))
	for _, pattern := range []string{"*.deb", "*.rpm"} {
		files, err := filepath.Glob(filepath.Join(dist, "linux-*", pattern))
		require.NoError(t, err)
		require.Len(t, files, 1)
		require.NoError(t, os.Rename(files[0], filepath.Join(folder, filepath.Base(files[0]))))
	}
}

// checkFiles checks the owners and permissions of the installed files.
func checkFiles(m *machine) {
	m.t.Helper()
	require.Regexp(m.t, `^servicegroup_exporter:x:[0-9]{3}:[0-9]{3}:.*:/usr/sbin/nologin$`, m.run("getent passwd servicegroup_exporter"))
	for file, mode := range map[string]string{
		"/etc/servicegroup_exporter":                   "750 root servicegroup_exporter",
		"/etc/servicegroup_exporter/servicegroups.yml": "640 root servicegroup_exporter",
		"/etc/default":                                                   "755 root root",
		"/etc/default/servicegroup_exporter":                             "600 root root",
		"/etc/default/servicegroup_join":                                 "600 root root",
		"/usr/bin/servicegroup_exporter":                                 "755 root root",
		"/usr/lib/systemd/system/" + joinUnit:                            "644 root root",
		"/usr/lib/systemd/system/" + unit:                                "644 root root",
		"/usr/share/servicegroup_exporter/alerts":                        "755 root root",
		"/usr/share/doc/servicegroup-exporter/README.md":                 "644 root root",
		"/usr/share/man/man1/servicegroup_exporter.1.gz":                 "644 root root",
		"/usr/share/servicegroup_exporter/dashboards":                    "755 root root",
		"/usr/share/servicegroup_exporter/alerts/servicegroup.rules.yml": "644 root root",
		"/usr/share/servicegroup_exporter/dashboards/overview.json":      "644 root root",
	} {
		require.Equal(m.t, mode, m.run("stat --format='%a %U %G' "+file), file)
	}
	m.run("setpriv --reuid=servicegroup_exporter --regid=servicegroup_exporter --init-groups " +
		"servicegroup_exporter --config.file=/etc/servicegroup_exporter/servicegroups.yml --config.check")
	require.Contains(m.t, m.run("servicegroup_exporter --version"), "version "+older)
	require.Empty(m.t, m.run("systemd-analyze verify /usr/lib/systemd/system/"+unit+" /usr/lib/systemd/system/"+joinUnit))
}

// checkService checks the running service: it notified systemd, serves metrics, and has no privileges.
func checkService(m *machine) {
	m.t.Helper()
	require.Equal(m.t, "active", m.run("systemctl is-active "+unit))
	require.Equal(m.t, "Type=notify\nWatchdogUSec=1min\nStatusText=Serving",
		m.run("systemctl show -p Type -p WatchdogUSec -p StatusText "+unit))
	m.eventually(web+"/-/ready", "ready")
	m.eventually(web+"/metrics", `servicegroup_source_up{source="local"} 1`)
	status := m.run("cat /proc/" + mainPID(m) + "/status")
	require.Regexp(m.t, `(?m)^CapPrm:\t0+$`, status)
	require.Regexp(m.t, `(?m)^CapBnd:\t0+$`, status)
	require.Regexp(m.t, `(?m)^NoNewPrivs:\t1$`, status)
	require.Regexp(m.t, `(?m)^Seccomp:\t2$`, status)
	require.Equal(m.t, "750 servicegroup_exporter", m.run("stat --format='%a %U' /var/lib/servicegroup_exporter"))
	m.eventually("find /var/lib/servicegroup_exporter -name '*.json'", ".json")
}

func mainPID(m *machine) string {
	return m.run("systemctl show --value -p MainPID " + unit)
}

// checkReload changes the configuration: a valid one is used, an invalid one is refused, and systemd's status shows it.
func checkReload(m *machine) {
	m.t.Helper()
	const config = "/etc/servicegroup_exporter/servicegroups.yml"
	pid := mainPID(m)
	m.run(fmt.Sprintf("cp -p %s /srv/good && echo nonsense: 1 >>%[1]s && systemctl reload %s", config, unit))
	m.eventually("systemctl show -p StatusText "+unit, "refused")
	m.run("systemctl is-active " + unit)
	m.run(fmt.Sprintf("sed 's/name: local/name: two/' /srv/good >%s && systemctl reload %s", config, unit))
	m.eventually(web+"/metrics", `servicegroup_source_up{source="two"} 1`)
	m.eventually("systemctl show --value -p StatusText "+unit+" | grep -x Serving", "Serving")
	require.Equal(m.t, pid, mainPID(m))
}

// checkWatchdog pauses the service, which systemd then kills and starts again.
func checkWatchdog(m *machine) {
	m.t.Helper()
	drop := "/run/systemd/system/" + unit + ".d"
	m.run(fmt.Sprintf("mkdir -p %s && printf '[Service]\nWatchdogSec=2s\nRestartSec=100ms\n' >%[1]s/test.conf", drop))
	m.run("systemctl daemon-reload && systemctl restart " + unit)
	m.run("sleep 5") // Longer than the watchdog's timeout.
	require.Equal(m.t, "0", m.run("systemctl show --value -p NRestarts "+unit))
	m.run("kill -STOP " + mainPID(m))
	m.eventually("systemctl show -p NRestarts "+unit, "NRestarts=1")
	m.eventually(web+"/-/ready", "ready")
	m.run(fmt.Sprintf("rm -r %s && systemctl daemon-reload", drop))
}

// checkUpgraded checks that the new version runs with the configuration that was changed by hand.
func checkUpgraded(m *machine) {
	m.t.Helper()
	m.eventually(web+"/metrics", `version="`+newer+`"`)
	m.eventually(web+"/metrics", `servicegroup_source_up{source="two"} 1`)
	m.run("systemctl is-enabled " + unit)
}

// checkRemoved checks that the program and the service are removed.
func checkRemoved(m *machine) {
	m.t.Helper()
	m.fails("ls /usr/bin/servicegroup_exporter")
	m.fails("systemctl is-active " + unit)
	m.fails(web + "/-/healthy")
}
