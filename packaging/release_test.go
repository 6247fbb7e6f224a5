package packaging

import (
	"debug/buildinfo"
	"debug/elf"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const release = "1.2.3"

// A release is reproducible byte for byte in any folder, without git and with any umask, its repositories too. It states its version and has a bill
// of materials.
func TestRelease(t *testing.T) {
	here := makeRelease(t, filepath.Join(t.TempDir(), "a"), "022")
	there := makeRelease(t, filepath.Join(t.TempDir(), "another", "folder"), "077")
	sums, err := os.ReadFile(filepath.Join(here, "sha256sums.txt"))
	require.NoError(t, err)
	require.Len(t, strings.Split(strings.TrimSpace(string(sums)), "\n"), 13)
	same, err := os.ReadFile(filepath.Join(there, "sha256sums.txt"))
	require.NoError(t, err)
	require.Equal(t, string(sums), string(same))
	shell(t, here, "diff --recursive apt "+there+"/apt && diff --recursive rpm "+there+"/rpm")
	shell(t, here, "sha256sum --check --quiet sha256sums.txt")

	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64, "ppc64le": elf.EM_PPC64} {
		name := "servicegroup_exporter-" + release + ".linux-" + arch
		shell(t, here, "tar --extract --file="+name+".tar.gz")
		for _, file := range []string{"LICENSE", "NOTICE", "CHANGELOG.md", "servicegroup_exporter.1.gz", "completion/bash", "web-config.yml", "ansible/galaxy.yml", "docs/operations.md", "systemd/" + unit} {
			require.FileExists(t, filepath.Join(here, name, file))
		}
		program := filepath.Join(here, name, "servicegroup_exporter")
		checkStatic(t, program, machine)
		checkBill(t, program, filepath.Join(here, name+".cdx.json"))
	}
	out := shell(t, here, "./servicegroup_exporter-"+release+".linux-amd64/servicegroup_exporter --version")
	require.Contains(t, out, "version "+release+" (branch: , revision: abcdef0)")
}

// makeRelease builds a release in the folder, from the current content of the files under version control.
func makeRelease(t *testing.T, folder, umask string) (dist string) {
	t.Helper()
	shell(t, checkout(t, folder, umask), "umask "+umask+"; SOURCE_DATE_EPOCH=1700000000 make release REVISION=abcdef0 VERSION="+release)
	return filepath.Join(folder, "dist")
}

func shell(t *testing.T, folder, command string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
	cmd.Dir = folder
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s\n%s", command, out)
	return string(out)
}

// checkStatic checks that a program does not need shared libraries.
func checkStatic(t *testing.T, program string, machine elf.Machine) {
	t.Helper()
	file, err := elf.Open(program)
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	require.Equal(t, machine, file.Machine)
	for _, segment := range file.Progs {
		require.NotEqual(t, elf.PT_INTERP, segment.Type, "it is linked dynamically")
	}
}

// checkBill compares the bill of materials with the module versions that the linker wrote into the program.
func checkBill(t *testing.T, program, bill string) {
	t.Helper()
	var bom struct {
		BOMFormat, SpecVersion string
		Metadata               struct {
			Component struct{ Name, Version string }
		}
		Components []struct{ Name, Version, PURL string }
	}
	data, err := os.ReadFile(bill)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &bom))
	require.Equal(t, "CycloneDX", bom.BOMFormat)
	require.Equal(t, "servicegroup_exporter", bom.Metadata.Component.Name)
	require.Equal(t, release, bom.Metadata.Component.Version)

	info, err := buildinfo.ReadFile(program)
	require.NoError(t, err)
	want := []string{"std " + strings.TrimPrefix(info.GoVersion, "go")}
	for _, module := range info.Deps {
		want = append(want, module.Path+" "+module.Version)
	}
	var got []string
	for _, c := range bom.Components {
		got = append(got, c.Name+" "+strings.TrimPrefix(c.Version, "go"))
	}
	require.ElementsMatch(t, want, got)
}
