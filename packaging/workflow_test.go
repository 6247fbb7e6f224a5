package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// A workflow is what GitHub runs: jobs, whose steps run actions or scripts.
type workflow struct {
	Permissions map[string]string
	Jobs        map[string]struct {
		If          string
		Needs       []string
		Permissions map[string]string
		Container   struct{ Image string }
		Env         map[string]string
		Steps       []step
	}
}

type step struct {
	Uses, Run string
	With      map[string]any
	Env       map[string]string
}

func readWorkflow(t *testing.T) (w workflow) {
	t.Helper()
	text, err := os.ReadFile("../.github/workflows/ci.yml")
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, &w))
	return w
}

// The workflow runs the same checks as developers, with the Go version of the module.
func TestWorkflow(t *testing.T) {
	job := readWorkflow(t).Jobs["all"]
	require.True(t, slices.ContainsFunc(job.Steps, func(s step) bool { return s.Run == ".ci/run" }))

	version, found := strings.CutPrefix(job.Container.Image, "golang:")
	require.True(t, found)
	version, _, _ = strings.Cut(version, "-")
	text, err := os.ReadFile("../go.mod")
	require.NoError(t, err)
	require.Contains(t, string(text), "\ngo "+version+".", "the module has another Go version")
}

// A tag is released after all checks, with a signature and with attestations of everything that is published.
func TestReleaseWorkflow(t *testing.T) {
	w := readWorkflow(t)
	require.Equal(t, map[string]string{"contents": "read"}, w.Permissions, "other jobs can't publish")
	job := w.Jobs["release"]
	require.Equal(t, "startsWith(github.ref, 'refs/tags/v')", job.If)
	require.Contains(t, job.Needs, "all")
	require.Equal(t, "write", job.Permissions["id-token"])
	require.Equal(t, "write", job.Permissions["attestations"])
	index := func(fits func(step) bool) int {
		i := slices.IndexFunc(job.Steps, fits)
		require.GreaterOrEqual(t, i, 0)
		return i
	}
	built := index(func(s step) bool { return strings.HasPrefix(s.Run, "make release ") })
	attested := index(func(s step) bool {
		return strings.HasPrefix(s.Uses, "actions/attest-build-provenance@") && s.With["subject-checksums"] == "dist/sha256sums.txt"
	})
	published := index(func(s step) bool { return strings.HasPrefix(s.Run, "gh release create ") })
	require.IsIncreasing(t, []int{built, attested, published})
	pushed := index(func(s step) bool { return strings.HasSuffix(s.Run, " tools/push-image") })
	attested = index(func(s step) bool { return s.With["subject-digest"] != nil })
	require.IsIncreasing(t, []int{pushed, attested})
}

// The scripts of the release job make a signed release of a fork, by the fork's own address and maintainer. It can be verified and
// installed as the documentation says.
func TestReleaseJob(t *testing.T) {
	const (
		homepage   = "https://github.com/Owner/Fork"
		maintainer = "Owner of the Fork <owner@example.com>"
	)
	clone := commit(t, checkout(t, filepath.Join(t.TempDir(), "clone"), "022"), "v"+release)
	work := t.TempDir()
	uploaded := filepath.Join(work, "uploaded")
	require.NoError(t, os.Mkdir(uploaded, 0o755))
	key, err := os.ReadFile(newSigningKey(t))
	require.NoError(t, err)
	runReleaseJob(t, clone, map[string]string{
		"github.server_url": "https://github.com", "github.repository": "Owner/Fork", "github.token": "a token", "secrets.RELEASE_SIGNING_KEY": string(key),
	}, append(os.Environ(),
		"GITHUB_REPOSITORY=Owner/Fork", "GITHUB_REF_NAME=v"+release, "GITHUB_ACTOR=owner", "RUNNER_TEMP="+work, "GITHUB_OUTPUT="+work+"/output",
		"MAINTAINER="+maintainer, "ARCHITECTURES="+runtime.GOARCH, "WORK="+work, "PATH="+stubs(t)+":"+os.Getenv("PATH")))

	calls := shell(t, work, "cat calls")
	require.Contains(t, calls, "\ngh release create v"+release+" --verify-tag ")
	require.Contains(t, calls, "\npodman login --username owner --password-stdin ghcr.io\n")
	const image = "ghcr.io/owner/fork:" + release
	require.Regexp(t, `\npodman manifest push --all --digestfile \S+ `+image+` docker://`+image+`\n`, calls)
	require.Equal(t, "name=ghcr.io/owner/fork\ndigest=sha256:of-the-image\n", shell(t, work, "cat output"))
	packages := regexp.MustCompile(`\nsudo apt-get install .*--no-install-recommends (.*)\n`).FindStringSubmatch(calls)
	require.NotNil(t, packages, calls)
	tested := shell(t, "..", "cat tools/packages*.txt")
	for name := range strings.FieldsSeq(packages[1]) {
		require.Regexp(t, `(?m)^`+name+`\b`, tested, "the tests have what the workflow installs")
	}

	home := gnupgHome(t)
	gpg := readerIn(t, uploaded, func(command string) (string, error) {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
		cmd.Dir, cmd.Env = uploaded, append(os.Environ(), "GNUPGHOME="+home)
		out, err := cmd.CombinedOutput()
		return string(out), err
	})
	require.Equal(t, 3, gpg.follow(t, part(t, "../docs/operations.md", "### Verify a release")))
	require.Equal(t, "8\n", shell(t, uploaded, "ls | wc -l"), "five files, their checksums, the signature, and the public key")

	checkOrigin(t, uploaded, release, regexp.QuoteMeta(maintainer), regexp.QuoteMeta(homepage))
	chart, err := helm(t, "template", filepath.Join(uploaded, "servicegroup-exporter-"+release+".tgz"))
	require.NoError(t, err)
	require.Contains(t, chart, `image: "`+image+`"`)
	_, unpack := install(t, "archives, amd64, arm64 and ppc64le")
	readerIn(t, clone, func(command string) (string, error) { return shell(t, clone, command), nil }).must(t, unpack)
	archive := filepath.Join(clone, "servicegroup_exporter-"+release+".linux-"+runtime.GOARCH)
	collection := shell(t, archive, "cat ansible/galaxy.yml && ansible-galaxy collection install --collections-path="+work+" ./ansible")
	require.Contains(t, collection, "\nrepository: "+homepage+"\n")
	require.Contains(t, collection, "servicegroup.exporter:"+release+" was installed successfully")
	checkRepositoriesPage(t, filepath.Join(clone, "dist", "pages"))
}

// runReleaseJob runs the scripts of the job as GitHub does, with the values of expressions.
func runReleaseJob(t *testing.T, folder string, values map[string]string, env []string) {
	t.Helper()
	var pairs []string
	for name, value := range values {
		pairs = append(pairs, "${{ "+name+" }}", value)
	}
	expressions := strings.NewReplacer(pairs...)
	job := readWorkflow(t).Jobs["release"]
	ran := 0
	for _, s := range job.Steps {
		if s.Run == "" {
			continue
		}
		cmd := exec.CommandContext(t.Context(), "bash", "-e", "-c", s.Run)
		cmd.Dir, cmd.Env = folder, env
		for _, variables := range []map[string]string{job.Env, s.Env} {
			for name, value := range variables {
				cmd.Env = append(cmd.Env, name+"="+expressions.Replace(value))
			}
		}
		require.NotContains(t, strings.Join(append(cmd.Env, s.Run), "\n"), "${{")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s\n%s", s.Run, out)
		ran++
	}
	require.Equal(t, 6, ran)
}

// stubs returns a folder with commands that write their arguments to $WORK/calls, in place of those that need GitHub: gh also copies the files
// that it uploads, and podman writes a digest.
func stubs(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for name, script := range map[string]string{
		"sudo":   "",
		"gh":     `for file in "$@"; do case $file in dist/*) cp "$file" "$WORK/uploaded" ;; esac; done`,
		"podman": `while [ $# -gt 1 ]; do [ "$1" != --digestfile ] || printf sha256:of-the-image >"$2"; shift; done`,
	} {
		text := "#!/bin/sh\nset -eu\necho \"" + name + " $*\" >>\"$WORK/calls\"\n" + script + "\n"
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o755))
	}
	return folder
}

// checkRepositoriesPage installs from the pages of a release as the documentation says.
func checkRepositoriesPage(t *testing.T, pages string) {
	t.Helper()
	m := boot(t, pages)
	m.serve("/mnt")
	m.run("rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*") // The machine has no network.
	m.useDNF()
	page := part(t, "../docs/operations.md", "### Install from the repositories")
	debian, rest, found := strings.Cut(page, "Fedora and RHEL")
	require.True(t, found)
	r := m.reader("REPOSITORY", "http://127.0.0.1:8000")
	require.Equal(t, 3, r.follow(t, debian))
	m.eventually(web+"/metrics", `version="`+release+`"`)
	m.run("dpkg --purge servicegroup-exporter")
	require.Equal(t, 3, r.follow(t, rest))
	m.eventually(web+"/metrics", `version="`+release+`"`)
}

// The placeholders for the address and the maintainer are in the Makefile. The chart and the collection have the address too, for those
// who take them from a clone. No other file has one of them.
func TestPlaceholders(t *testing.T) {
	makefile, err := os.ReadFile("../Makefile")
	require.NoError(t, err)
	for value, want := range map[string]string{
		`HOMEPAGE +\?= https://(\S+)`:      "Makefile\npackaging/ansible/galaxy.yml\npackaging/helm/servicegroup-exporter/Chart.yaml\n",
		`MAINTAINER +\?= [^<]+<(\S+@\S+)>`: "Makefile\n",
	} {
		placeholder := regexp.MustCompile(`(?m)^export ` + value + `$`).FindSubmatch(makefile)
		require.NotNil(t, placeholder, value)
		require.Equal(t, want, shell(t, "..", "git grep --name-only --fixed-strings "+string(placeholder[1])))
	}
}
