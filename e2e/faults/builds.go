package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"servicegroup_exporter/internal/testserver"
)

// builds are the programs that environments need. Each is found or built when it is first needed.
type builds struct {
	dir string
	// plain finds the program that `make test` built, or builds it.
	plain func() (string, error)
	// shifted builds a program whose wall clock can be set.
	//
	// Go programs read the clock without the C library, so libfaketime has no effect on them, and Linux has no namespaces
	// for the wall clock. This program is built with a standard library in which [time.Now] adds an offset from a file to the
	// wall clock and not to the monotonic clock, as if the machine's clock were set. Nothing else differs.
	shifted func() (string, error)
}

func newBuilds() (*builds, error) {
	dir, err := os.MkdirTemp("", "faults")
	if err != nil {
		return nil, err
	}
	b := &builds{dir: dir}
	b.plain = sync.OnceValues(func() (string, error) { return testserver.FindOrBuildExporter(dir) })
	b.shifted = sync.OnceValues(func() (string, error) {
		overlay, err := b.overlay()
		if err != nil {
			return "", fmt.Errorf("changing the standard library: %w", err)
		}
		return b.build("shifted", overlay)
	})
	return b, nil
}

func (b *builds) remove() { os.RemoveAll(b.dir) }

// build builds the program with an overlay: a JSON file that replaces source files.
func (b *builds) build(name, overlay string) (string, error) {
	path := filepath.Join(b.dir, name)
	module, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "servicegroup_exporter").Output()
	if err != nil {
		return "", fmt.Errorf("finding the folder of the main module: %w", err)
	}
	cmd := exec.Command("go", "build", "-trimpath", "-overlay="+overlay, "-o", path, ".")
	cmd.Dir = strings.TrimSpace(string(module))
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the exporter: %w\n%s", err, out)
	}
	return path, nil
}

// built returns the path of a program.
func (env *environment) built(program func() (string, error)) string {
	path, err := program()
	if err != nil {
		env.Fatalf("%v", err)
	}
	return path
}

// clockVariable is the environment variable that names the file with the offset of the clock.
const clockVariable = "SERVICEGROUP_FAULTS_CLOCK"

const (
	readsClock = "sec, nsec, mono := runtimeNow()"
	addsOffset = readsClock + "\n\tsec += clockOffset()"
)

// clockSource is a file that is added to the package time. It can import only what the package time imports.
const clockSource = `package time

import (
	"sync/atomic"
	"syscall"
	"unsafe"
)

var clockFile = mapClockFile()

func mapClockFile() *int64 {
	path, _ := syscall.Getenv("` + clockVariable + `")
	fd, err := syscall.Open(path, syscall.O_RDONLY, 0)
	if err != nil {
		panic(err)
	}
	memory, err := syscall.Mmap(fd, 0, 8, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	return (*int64)(unsafe.Pointer(&memory[0]))
}

func clockOffset() int64 {
	if clockFile == nil { // Package variables are being initialized.
		return 0
	}
	return atomic.LoadInt64(clockFile)
}
`

// overlay writes a changed package time, and returns the path of the file that makes the compiler use it.
func (b *builds) overlay() (string, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", err
	}
	library := filepath.Join(strings.TrimSpace(string(root)), "src", "time")
	text, err := os.ReadFile(filepath.Join(library, "time.go"))
	if err != nil {
		return "", err
	}
	changed := strings.Replace(string(text), readsClock, addsOffset, 1)
	if changed == string(text) {
		return "", fmt.Errorf("time.Now of this Go release does not contain %q", readsClock)
	}
	files := map[string]string{
		filepath.Join(library, "time.go"):        filepath.Join(b.dir, "time.go"),
		filepath.Join(library, "clockoffset.go"): filepath.Join(b.dir, "clockoffset.go"),
	}
	replace, err := json.Marshal(map[string]any{"Replace": files})
	path := filepath.Join(b.dir, "overlay.json")
	return path, errors.Join(err,
		os.WriteFile(filepath.Join(b.dir, "time.go"), []byte(changed), 0o600),
		os.WriteFile(filepath.Join(b.dir, "clockoffset.go"), []byte(clockSource), 0o600),
		os.WriteFile(path, replace, 0o600))
}
