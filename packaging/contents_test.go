package packaging

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// checkLintian checks that lintian has nothing to say about the Debian package.
func checkLintian(t *testing.T, folder string) {
	require.Empty(t, shell(t, folder, "lintian --allow-root --tag-display-limit=0 *_"+newer+"-1_*.deb"))
}

// checkOrigin checks who the packages say has made them, and where: each fits a regular expression.
func checkOrigin(t *testing.T, folder, version, maintainer, homepage string) {
	t.Helper()
	deb := filepath.Join(folder, "*_"+version+"-1_*.deb")
	rpm := "rpm -qp 2>/dev/null " + filepath.Join(folder, "*-"+version+"-1.*.rpm") + " --queryformat="
	unpacked := t.TempDir()
	shell(t, unpacked, "dpkg-deb --extract "+deb+" . && gunzip usr/share/doc/servicegroup-exporter/changelog.Debian.gz usr/share/man/man1/*.gz")
	changelog, err := os.ReadFile(filepath.Join(unpacked, "usr/share/doc/servicegroup-exporter/changelog.Debian"))
	require.NoError(t, err)
	manual, err := os.ReadFile(filepath.Join(unpacked, "usr/share/man/man1/servicegroup_exporter.1"))
	require.NoError(t, err)

	require.Regexp(t, "^"+maintainer+"\n$", shell(t, folder, "dpkg-deb --field "+deb+" Maintainer"))
	require.Regexp(t, "^"+maintainer+"$", shell(t, folder, rpm+"'%{packager}'"))
	require.Regexp(t, "\n -- "+maintainer+"  ", string(changelog))
	require.Regexp(t, "^"+homepage+"\n$", shell(t, folder, "dpkg-deb --field "+deb+" Homepage"))
	require.Regexp(t, "^The servicegroup_exporter Authors "+homepage+" Apache-2.0$", shell(t, folder, rpm+"'%{vendor} %{url} %{license}'"))
	require.Regexp(t, "\n.UR "+homepage+"\n", string(manual))
}

// checkManual checks that man shows the manual page, without a warning, and finds it by its description.
func checkManual(m *machine) {
	m.t.Helper()
	page := m.run("LC_ALL=C.UTF-8 MANWIDTH=100 man --warnings --encoding=UTF-8 -l /usr/share/man/man1/servicegroup_exporter.1.gz 2>/srv/warnings")
	require.Empty(m.t, m.run("cat /srv/warnings"))
	lines := strings.Split(page, "\n")
	require.Regexp(m.t, `^SERVICEGROUP_EXPORTER\(1\) +General Commands Manual +SERVICEGROUP_EXPORTER\(1\)$`, lines[0])
	require.Contains(m.t, page, "\nNAME\n       servicegroup_exporter - export which members of a service group are alive\n")
	require.Contains(m.t, page, "\n       --config.file=CONFIG.FILE\n              Configuration file.")
	require.Contains(m.t, page, "\nEXIT STATUS\n")
	require.Regexp(m.t, `\nSEE ALSO\n +All documentation .https://.+\n`, page)
	require.Contains(m.t, lines[len(lines)-1], "servicegroup_exporter "+older)
	require.Contains(m.t, m.run("mandb --quiet --create /usr/share/man && whatis servicegroup_exporter"),
		"servicegroup_exporter (1) - export which members of a service group are alive")
}

// checkCompletion completes a command and a flag in bash and zsh.
func checkCompletion(m *machine, zshFolder string) {
	m.t.Helper()
	const bash = `bash -c '. /usr/share/bash-completion/bash_completion; _completion_loader servicegroup_exporter; ` +
		`COMP_WORDS=(servicegroup_exporter "$@") COMP_CWORD=$#; _servicegroup_exporter; echo "${COMPREPLY[@]}"' bash `
	require.Equal(m.t, "is-up", m.run(bash+"is"))
	require.Equal(m.t, "--source", m.run(bash+"list --so"))
	zsh := `zsh -fc 'fpath=(` + zshFolder + `); autoload -U _servicegroup_exporter; words=(servicegroup_exporter "$@") CURRENT=$(($# + 1)); ` +
		`typeset -A compstate; compstate[nmatches]=1; compadd() { print -r -- $matches }; _servicegroup_exporter' zsh `
	require.Contains(m.t, m.run(zsh+"is"), " is-up ")
	require.Contains(m.t, m.run(zsh+"list --so"), "--source ")
}

// checkNotice checks that a folder of the machine has the licences of all modules.
func checkNotice(m *machine, file string) {
	m.t.Helper()
	want, err := os.ReadFile("../NOTICE")
	require.NoError(m.t, err)
	require.Equal(m.t, strings.TrimSpace(string(want)), m.run("cat "+file))
}

// checkWebConfig starts from the example as it says.
func checkWebConfig(m *machine) {
	m.t.Helper()
	const (
		example = "/usr/share/doc/servicegroup-exporter/examples/web-config.yml"
		check   = "cd /srv/web && servicegroup_exporter --config.check --web.config.file=web-config.yml"
	)
	m.run("mkdir /srv/web && cd /srv/web && cp " + example + " . && sed -n '/openssl req/,/-keyout/s/^# *//p' web-config.yml | sh 2>/dev/null")
	m.fails(check)
	m.run("sed -i 's/REPLACE/MyQHs9yZAWwUCAJTsOusQe3cJMWm5HM2eUdz8XErmJT6LRW3odXBa/' /srv/web/web-config.yml")
	m.run(check)
}
