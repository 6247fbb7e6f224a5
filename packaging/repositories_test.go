package packaging

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// newSigningKey returns the file of a new private key, which machines do not see.
func newSigningKey(t *testing.T) string {
	t.Helper()
	home := t.TempDir()
	file := filepath.Join(home, "key.asc")
	shell(t, home, "chmod 700 . && export GNUPGHOME=$PWD && gpg --batch --quiet --passphrase '' --quick-generate-key 'Test <test@example.com>' rsa3072 sign && "+
		"gpg --batch --armor --export-secret-keys >key.asc && gpgconf --kill all")
	return file
}

// gnupgHome returns a new folder for keys.
func gnupgHome(t *testing.T) string {
	t.Helper()
	home := t.TempDir()
	require.NoError(t, os.Chmod(home, 0o700))
	return home
}

// checkAPT installs the package from the apt repository of a release, whose signature and checksums apt checks.
func checkAPT(t *testing.T, folder string) {
	m := boot(t, folder)
	const (
		options = " -o Dir::Etc::sourcelist=/srv/exporter.list -o Dir::Etc::sourceparts=- "
		apt     = "DEBIAN_FRONTEND=noninteractive apt-get -q" + options
		fresh   = "rm -rf /srv/apt /var/lib/apt/lists && cp -r /mnt/apt /srv/apt"
	)
	m.run(fresh + " && mkdir -p /etc/apt/keyrings && cp /mnt/servicegroup_exporter.asc /etc/apt/keyrings/")
	m.run("echo 'deb [signed-by=/etc/apt/keyrings/servicegroup_exporter.asc] file:/srv/apt stable main' >/srv/exporter.list")
	m.run(apt + "update")
	require.Contains(t, m.run("apt-cache"+options+"policy servicegroup-exporter"), "Candidate: "+newer+"-1")
	m.run(apt + "install --yes servicegroup-exporter=" + older + "-1")
	m.eventually(web+"/metrics", `version="`+older+`"`)
	m.run(apt + "upgrade --yes")
	m.eventually(web+"/metrics", `version="`+newer+`"`)

	m.run(fresh + " && sed -i 's/^Size: .*/Size: 1/' /srv/apt/dists/stable/main/binary-*/Packages && rm /srv/apt/dists/stable/main/binary-*/Packages.gz")
	m.fails(apt + "update")
	m.run(fresh + " && sed -i 's/^Suite: .*/Suite: other/' /srv/apt/dists/stable/InRelease && rm /srv/apt/dists/stable/Release*")
	m.fails(apt + "update")
	m.run(fresh + " && " + apt + "update")
}

// checkDNF installs the package from the repository of RPM packages of a release. dnf checks the signatures of the repository and of
// the package.
func checkDNF(t *testing.T, folder string) {
	m := boot(t, folder)
	m.useDNF()
	m.addDNF()
	const dnf = "dnf --quiet "
	m.run(dnf + "install servicegroup-exporter-" + older)
	m.run("systemctl start " + unit)
	m.eventually(web+"/metrics", `version="`+older+`"`)
	m.run(dnf + "upgrade servicegroup-exporter")
	m.eventually(web+"/metrics", `version="`+newer+`"`)

	m.run(dnf + "remove servicegroup-exporter")
	m.run("echo >>/srv/rpm/repodata/repomd.xml && rm -rf /var/cache/dnf")
	m.fails(dnf + "install servicegroup-exporter")
}

// useDNF prepares the machine for packages with dnf, whose questions it answers with yes. Debian's rpm does not see Debian's packages,
// so that empty ones stand for those that are needed.
func (m *machine) useDNF() {
	m.t.Helper()
	m.run("echo assumeyes=True >>/etc/dnf/dnf.conf")
	for _, name := range []string{"shadow-utils", "policycoreutils-python-utils"} {
		folder := m.t.TempDir()
		config := filepath.Join(folder, "nfpm.yaml")
		require.NoError(m.t, os.WriteFile(config, []byte(fmt.Sprintf("{name: %s, arch: all, version: 1.0.0}", name)), 0o600))
		out, err := exec.CommandContext(m.t.Context(), "../bin/nfpm", "package", "--config="+config, "--packager=rpm",
			"--target=/proc/"+m.pid+"/root/srv/"+name+".rpm").CombinedOutput()
		require.NoError(m.t, err, string(out))
		m.run("rpm --force-debian --install /srv/" + name + ".rpm")
	}
}

// addDNF adds a copy of the repository of a release in the machine's folder /mnt.
func (m *machine) addDNF() {
	m.t.Helper()
	m.run("cp -r /mnt/rpm /srv/rpm")
	m.write("/etc/yum.repos.d/servicegroup_exporter.repo", `[servicegroup_exporter]
name=servicegroup_exporter
baseurl=file:///srv/rpm
gpgcheck=1
repo_gpgcheck=1
gpgkey=file:///mnt/servicegroup_exporter.asc`)
}
